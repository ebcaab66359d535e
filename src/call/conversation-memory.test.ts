import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { attend, vacate } from './attendance.ts';
import { callEvent } from './call-event.ts';
import { newCallId, type CallId } from './call-id.ts';
import {
  forgetConversation,
  memoryItemsKey,
  memoryKey,
  MOST_ITEMS,
  recallConversation,
  type MemoryFacts,
} from './conversation-memory.ts';
import { EVENT_STREAM, EventPublisher, parseStreamEntry } from './event-stream.ts';
import { enterLiveCall, leaveLiveCall } from './live-calls.ts';
import { MemoryWriter } from './memory-writer.ts';
import { tellUntold, untoldEvents } from './untold-events.ts';

const log = createLog('test', 'error');
const facts: MemoryFacts = {
  direction: 'inbound',
  trunk: 'office',
  phone: 'sip_caller',
  personality: 'receptionist',
  hash: 'abc',
  instructions: 'Be kind. Today is Monday.',
  greeting: 'Hello.',
  maxDurationMs: 600_000,
};

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, log, 'patient');
});

afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

const begin = (call: CallId, agent?: string) =>
  new MemoryWriter({ redis, call, log, facts, agent });

function turn(call: CallId, role: 'caller' | 'agent', text: string) {
  return callEvent('turn', call, { role, text, interrupted: false });
}

function answered(call: CallId) {
  return callEvent('call.answered', call, { personality: 'receptionist', simulated: true });
}

describe('the memory of a conversation', () => {
  it('has what was said and done, in order, and what was just being said', async () => {
    const call = newCallId();
    const memory = begin(call);
    memory.event(answered(call));
    memory.event(turn(call, 'agent', 'Hello.'));
    memory.hears('Book a table.');
    memory.event(turn(call, 'caller', 'Book a table.'));
    await memory.toolBegins({ id: 'tool-1', name: 'book', args: '{"for":2}' });
    memory.toolAnswered({ id: 'tool-1', name: 'book', output: 'done', isError: false });
    memory.says('It is');
    memory.says('It is booked. Anything else?');
    memory.said('It is booked.');
    memory.saysNoMore();
    memory.hears('Thank');
    memory.used([{ component: 'tts', provider: 'simulator', characters: 9 }]);
    await memory.settled();

    const recalled = await recallConversation(redis, call);
    expect(recalled).toMatchObject({
      facts,
      saying: { text: 'It is booked. Anything else?', whole: true, heard: 'It is booked.' },
      hearing: 'Thank',
      usage: [{ component: 'tts', characters: 9 }],
    });
    expect(
      recalled?.items.map((item) => (item.kind === 'event' ? item.event.type : item.kind)),
    ).toEqual(['call.answered', 'turn', 'turn', 'tool', 'tool_result']);
    expect(Math.abs((recalled?.now ?? 0) - (recalled?.answeredAt ?? 0))).toBeLessThan(60_000);
    memory.close();
  });

  it('forgets words when they have become a turn, or were never said', async () => {
    const call = newCallId();
    const memory = begin(call);
    memory.hears('Yes.');
    memory.says('Good.');
    memory.event(turn(call, 'caller', 'Yes.'));
    memory.event(turn(call, 'agent', 'Good.'));
    await memory.settled();
    expect(await recallConversation(redis, call)).toMatchObject({ saying: null, hearing: '' });
    memory.says('And');
    memory.silent();
    await memory.settled();
    expect(await recallConversation(redis, call)).toMatchObject({ saying: null });
    memory.close();
  });

  it('is of a bounded length, and does not outlive a call that nobody ends', async () => {
    const call = newCallId();
    const memory = begin(call);
    for (let index = 0; index < 2 * MOST_ITEMS; index += 1) {
      memory.event(turn(call, 'caller', `number ${index}`));
      if (index % 50 === 0) await memory.settled();
    }
    await memory.settled();
    const items = (await recallConversation(redis, call))?.items ?? [];
    expect(items).toHaveLength(MOST_ITEMS);
    expect(items.at(-1)).toMatchObject({
      event: { data: { text: `number ${2 * MOST_ITEMS - 1}` } },
    });
    expect(await redis.ttl(memoryKey(call))).toBeGreaterThan(0);
    expect(await redis.ttl(memoryItemsKey(call))).toBeGreaterThan(0);
    memory.close();
  });

  it('is gone with the call, and nothing that comes late brings it back', async () => {
    const call = newCallId();
    await enterLiveCall(redis, {
      id: call,
      room: 'r',
      trunk: 'office',
      direction: 'inbound',
      since: 1,
    });
    const memory = begin(call);
    memory.event(turn(call, 'agent', 'Hello.'));
    await memory.settled();
    await leaveLiveCall(redis, { id: call, trunk: 'office' });
    memory.event(turn(call, 'agent', 'Good'));
    await memory.settled();
    expect(await redis.exists(memoryKey(call), memoryItemsKey(call))).toBe(0);
    memory.close();
  });

  it('takes nothing more when it is closed, and loses nothing of what it had', async () => {
    const call = newCallId();
    const memory = begin(call);
    await memory.settled();
    memory.event(turn(call, 'agent', 'Hello.'));
    memory.says('How can');
    memory.said('How');
    memory.close();
    memory.says('How can I help?');
    memory.silent();
    await memory.settled();
    const recalled = await recallConversation(redis, call);
    expect(recalled?.items).toHaveLength(1);
    expect(recalled?.saying).toEqual({ text: 'How can', whole: false, heard: 'How' });
  });

  it('is erased with what else is known of a person', async () => {
    const call = newCallId();
    const memory = begin(call);
    memory.event(turn(call, 'caller', 'My name is Ada.'));
    await memory.settled();
    await forgetConversation(redis, call);
    expect(await recallConversation(redis, call)).toBeUndefined();
    memory.close();
  });

  it('is written by the agent that attends the call, not by one that was cut off', async () => {
    const call = newCallId();
    await attend(redis, call, { agent: 'agent-1', host: 'a.1' });
    const first = begin(call, 'agent-1');
    first.event(turn(call, 'agent', 'Hello.'));
    await first.settled();
    await vacate(redis, call, { agent: 'agent-1', cause: 'worker_lost' });
    await attend(redis, call, { agent: 'agent-2', host: 'b.1' });
    const second = new MemoryWriter({ redis, call, log, agent: 'agent-2' });
    second.event(turn(call, 'agent', 'I am back.'));
    await second.settled();
    first.event(turn(call, 'agent', 'Hell'));
    first.says('Hello again');
    await first.settled();
    const recalled = await recallConversation(redis, call);
    expect(
      recalled?.items.flatMap((item) =>
        item.kind === 'event' && item.event.type === 'turn' ? [item.event.data.text] : [],
      ),
    ).toEqual(['Hello.', 'I am back.']);
    expect(recalled?.saying).toBeNull();
    first.close();
    second.close();
  });

  it('waits for a Redis that is away without growing or holding anybody up', async () => {
    const own = await RedisServer.start();
    const client = connectRedis(own.url, createLog('test', 'fatal'), 'patient');
    const call = newCallId();
    const memory = new MemoryWriter({ redis: client, call, log, facts });
    await memory.settled();
    own.freeze();
    for (let index = 0; index < 3 * MOST_ITEMS; index += 1) {
      memory.says(`word ${index}`);
      memory.event(turn(call, 'caller', `number ${index}`));
    }
    own.thaw();
    await memory.settled();
    const recalled = await recallConversation(client, call);
    const texts = recalled?.items.map((item) =>
      item.kind === 'event' && item.event.type === 'turn' ? item.event.data.text : '',
    );
    expect(texts?.length).toBe(MOST_ITEMS);
    expect(texts?.at(-1)).toBe(`number ${3 * MOST_ITEMS - 1}`);
    memory.close();
    client.disconnect();
    await own.remove();
  });
});

describe('what the ledger may not have heard', () => {
  it('is what was written down after the last that went out, and what was being said', async () => {
    const call = newCallId();
    const memory = begin(call);
    const [hello, table] = [turn(call, 'agent', 'Hello.'), turn(call, 'caller', 'A table.')];
    const yes = answered(call);
    memory.event(yes);
    memory.event(hello);
    memory.told(yes.id);
    memory.told(hello.id);
    memory.event(table);
    memory.says('For how many');
    memory.said('For how');
    memory.hears('Wait');
    await memory.settled();
    const recalled = await recallConversation(redis, call);
    if (!recalled) throw new Error('nothing was written');
    const { before, broken } = untoldEvents(call, recalled);
    expect(before).toEqual([table]);
    expect(broken.map(({ data }) => data)).toEqual([
      { role: 'agent', text: 'For how', interrupted: true },
      { role: 'caller', text: 'Wait', interrupted: false },
    ]);
    // Whoever tells it, tells it with the same ids.
    expect(untoldEvents(call, recalled).broken.map(({ id }) => id)).toEqual(
      broken.map(({ id }) => id),
    );
    expect(new Set(broken.map(({ id }) => id)).size).toBe(2);
    expect(untoldEvents(call, { ...recalled, told: undefined }).before).toEqual([
      yes,
      hello,
      table,
    ]);
    memory.close();
  });

  it('is told where no other agent comes, as often as that is tried', async () => {
    const call = newCallId();
    const memory = begin(call);
    memory.event(answered(call));
    memory.says('For how many');
    memory.said('For how');
    memory.used([{ component: 'llm', provider: 'simulator', outputTokens: 3 }]);
    await memory.settled();
    memory.close();
    const events = new EventPublisher(redis);
    for (let time = 0; time < 2; time += 1) await tellUntold({ redis, events, log }, call);
    const told = (await redis.xrange(EVENT_STREAM, '-', '+'))
      .map(([, fields]) => parseStreamEntry(fields))
      .filter((event) => event.call === call);
    expect(told.slice(0, 3).map(({ type }) => type)).toEqual([
      'call.answered',
      'turn',
      'call.usage',
    ]);
    expect(told.slice(3).map(({ id }) => id)).toEqual(told.slice(0, 3).map(({ id }) => id));
    await tellUntold({ redis, events, log }, newCallId());
  });
});
