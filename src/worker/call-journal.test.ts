import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attend, vacate } from '../call/attendance.ts';
import { newCallId, type CallId } from '../call/call-id.ts';
import { EVENT_STREAM, EventPublisher, parseStreamEntry } from '../call/event-stream.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { CallJournal } from './call-journal.ts';

const log = createLog('test', 'error');
const end = { outcome: 'completed', reason: 'The caller hung up.', hungUpBy: 'caller' } as const;
const turn = (text: string) => ({ role: 'caller', text, interrupted: false }) as const;

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

async function told(call: CallId): Promise<string[]> {
  const entries = await redis.xrange(EVENT_STREAM, '-', '+');
  return entries
    .map(([, fields]) => parseStreamEntry(fields))
    .filter((event) => event.call === call)
    .map((event) => (event.type === 'turn' ? event.data.text : event.type));
}

describe('CallJournal', () => {
  it('publishes events in the order in which they were written, the end last and once', async () => {
    const call = newCallId();
    const journal = new CallJournal(call, new EventPublisher(redis), log);
    journal.write('call.answered', { personality: 'receptionist', simulated: true });
    for (const text of ['one', 'two', 'three']) journal.write('turn', turn(text));
    const first = journal.end(end);
    journal.write('turn', turn('too late'));
    await Promise.all([first, journal.end({ ...end, outcome: 'failed' })]);
    expect(await told(call)).toEqual(['call.answered', 'one', 'two', 'three', 'call.ended']);
  });

  it('takes after the end only what cannot be known sooner', async () => {
    const call = newCallId();
    const journal = new CallJournal(call, new EventPublisher(redis), log);
    await journal.end(end);
    journal.write('turn', turn('too late'));
    journal.write('call.usage', { usage: [] });
    journal.write('call.recorded', { file: 'x', durationMs: 1, bytes: 1 });
    await journal.flushed();
    expect(await told(call)).toEqual(['call.ended', 'call.usage', 'call.recorded']);
  });

  it('tells nothing of a call that another agent attends, whenever Redis hears of it', async () => {
    const call = newCallId();
    const lost = new CallJournal(call, new EventPublisher(redis), log, 'agent-1');
    await attend(redis, call, { agent: 'agent-1', host: 'a.1' });
    lost.write('turn', turn('one'));
    await lost.flushed();
    await vacate(redis, call, { agent: 'agent-1', cause: 'worker_lost' });
    // Of what the lost agent said last, the next one tells.
    await attend(redis, call, { agent: 'agent-2', host: 'b.1' });
    lost.write('turn', turn('late'));
    await lost.end(end);
    expect(lost.abandoned.aborted).toBe(true);
    const next = new CallJournal(call, new EventPublisher(redis), log, 'agent-2');
    next.write('turn', turn('two'));
    await next.flushed();
    expect(await told(call)).toEqual(['one', 'two']);
  });

  it('keeps the order when events fail, and loses only those', async () => {
    const call = newCallId();
    const real = new EventPublisher(redis);
    const send: EventPublisher['send'] = async (event) => {
      if (event.type === 'turn' && event.data.text === 'lost') throw new Error('no room');
      return real.send(event);
    };
    const journal = new CallJournal(call, { send }, createLog('test', 'fatal'));
    for (const text of ['one', 'lost', 'two']) journal.write('turn', turn(text));
    await journal.end(end);
    expect(await told(call)).toEqual(['one', 'two', 'call.ended']);
  });
});
