import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordedApology } from '../../call/apology/recorded-apology.ts';
import { attend, attendanceOf, vacate } from '../../call/attendance.ts';
import { newCallId } from '../../call/call-id.ts';
import { memoryKey } from '../../call/conversation-memory.ts';
import { fleetKey } from '../../call/heartbeat.ts';
import { enterLiveCall, listLiveCalls, type LiveCall } from '../../call/live-calls.ts';
import { OUTBOUND_QUEUE } from '../../call/order.ts';
import { connectLiveKit } from '../../platform/livekit.ts';
import { createLog } from '../../platform/log.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { RedisServer } from '../../platform/testing/redis-server.ts';
import { CallRooms } from '../call-room.ts';
import { endsOf, eventsOf } from '../fixtures/events-of.ts';
import { LiveKitStandIn } from '../fixtures/livekit-stand-in.ts';
import { standInConfig } from '../fixtures/stand-in-config.ts';
import { lostAgentsWatch, type Done } from '../fixtures/lost-agents-watch.ts';
import type { AttendanceWatch } from './attendance-watch.ts';

let server: RedisServer;
let redis: Redis;
let queue: Queue;
let livekit: LiveKitStandIn;
let rooms: CallRooms;
let watch: AttendanceWatch;
let done: Done;
/** Hosts and dispatchers that beat, and the time on the watch's clock. */
let beating: { hosts: Set<string>; dispatchers: Set<string> };
let now: number;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
  queue = new Queue(OUTBOUND_QUEUE, { connection: redis });
});

beforeEach(async () => {
  livekit = await LiveKitStandIn.start();
  livekit.agentsFree = false;
  const config = standInConfig(livekit);
  rooms = new CallRooms(connectLiveKit(config), config.AGENT_NAME);
  ({ watch, done } = lostAgentsWatch({ redis, rooms, queue }));
  beating = { hosts: new Set(['lost.1', 'living.1']), dispatchers: new Set() };
  now = 1_000_000;
});

afterEach(async () => {
  livekit.close();
  await redis.flushall();
});

afterAll(async () => {
  await queue.close();
  redis.disconnect();
  await server.remove();
});

/** Goes on for so long, with two looks a second. */
async function pass(seconds: number, by: AttendanceWatch = watch): Promise<void> {
  for (const end = now + seconds * 1000; now < end;) {
    now += 500;
    for (const fleet of ['hosts', 'dispatchers'] as const) {
      for (const id of beating[fleet]) await redis.hset(fleetKey(fleet), id, `at ${now}`);
    }
    await by.look(now);
    await by.settled();
  }
}

/** A call that an agent on the host `lost.1` attends. */
async function aCall(direction: LiveCall['direction'] = 'inbound'): Promise<LiveCall> {
  const id = newCallId();
  const room = direction === 'outbound' ? id : `in-${id}`;
  const call: LiveCall = { id, room, trunk: 'office', direction, since: Date.now() };
  await enterLiveCall(redis, call);
  expect(await attend(redis, id, { agent: 'agent-1', host: 'lost.1' })).toBe(true);
  const caller = { 'sip.callStatus': 'active', 'sip.trunkPhoneNumber': '+12025550123' };
  livekit.rooms.set(room, {
    agent: false,
    phone: undefined,
    dispatches: 1,
    caller,
    agents: ['agent-1'],
  });
  return call;
}

async function loseTheHost(): Promise<void> {
  await pass(2);
  beating.hosts.delete('lost.1');
}

describe('a call whose host stops to beat', () => {
  it.each(['inbound', 'outbound'] as const)(
    'is taken after 3.5 s, its ghost removed, and another agent asked for: %s',
    async (direction) => {
      const call = await aCall(direction);
      await loseTheHost();
      await pass(3);
      expect(livekit.asked).toEqual([]);
      await pass(1);
      const vacant = await attendanceOf(redis, call.id);
      expect(vacant).toMatchObject({ state: 'vacant', cause: 'worker_lost', agent: 'agent-1' });
      expect(livekit.rooms.get(call.room)?.agents).toEqual([]);
      expect(livekit.asked.map(({ metadata }) => JSON.parse(metadata))).toEqual([
        {
          direction,
          trunk: 'office',
          ...(direction === 'outbound' ? { callId: call.id } : {}),
          takeOver: {
            callId: call.id,
            cause: 'worker_lost',
            lostAt: vacant?.state === 'vacant' ? vacant.at : 0,
          },
        },
      ]);
      expect(done.counted).toEqual(['worker_lost']);
    },
  );

  it('is left alone once another agent attends it', async () => {
    const call = await aCall();
    await loseTheHost();
    await pass(4);
    await attend(redis, call.id, { agent: 'agent-2', host: 'living.1' });
    await pass(30);
    expect(livekit.asked).toHaveLength(1);
    expect(done).toEqual({ said: [], counted: ['worker_lost'] });
    expect(await endsOf(redis, call.id)).toEqual([]);
  });

  it('gets another agent asked for while none comes, and ends with a recorded sentence', async () => {
    const call = await aCall();
    await loseTheHost();
    await pass(10);
    expect(livekit.asked.length).toBeGreaterThanOrEqual(4);
    expect(done.said).toEqual([]);
    await pass(2);
    expect(done.said).toEqual([{ room: call.room, bytes: (await recordedApology('en')).length }]);
    expect(done.counted).toEqual(['worker_lost', 'said', 'without agent']);
    expect(await endsOf(redis, call.id)).toEqual([expect.stringMatching(/^failed: .*recorded/)]);
    expect((await eventsOf(redis, call.id)).map(({ type }) => type)).toEqual([
      'turn',
      'call.ended',
    ]);
    expect(livekit.deleted).toEqual([call.room]);
    expect(await listLiveCalls(redis)).toEqual([]);
    expect(await attendanceOf(redis, call.id)).toBeUndefined();
  });

  it('ends with the sentence at once where no worker is left', async () => {
    const call = await aCall();
    await loseTheHost();
    beating.hosts.clear();
    await pass(4.5);
    expect(done.said).toEqual([]);
    await pass(2);
    expect(done.said).toHaveLength(1);
    expect(await endsOf(redis, call.id)).toHaveLength(1);
  });

  it('is ended without a sentence where the far end has left meanwhile, but not at once', async () => {
    const call = await aCall();
    await loseTheHost();
    livekit.rooms.get(call.room)!.caller = undefined;
    await pass(15);
    expect(await endsOf(redis, call.id)).toEqual([]);
    await pass(10);
    expect(done).toEqual({ said: [], counted: ['worker_lost', 'without agent'] });
    expect(await endsOf(redis, call.id)).toEqual([expect.stringMatching(/^failed: .*left/)]);
  });

  it('is left to its dispatcher while it rings, and is asked for all the while', async () => {
    const call = await aCall('outbound');
    await queue.add('dial', {}, { jobId: call.id });
    await loseTheHost();
    await pass(20);
    expect(livekit.asked.length).toBeGreaterThan(8);
    expect(await endsOf(redis, call.id)).toEqual([]);
    expect(done.said).toEqual([]);
    await queue.remove(call.id);
    await pass(2);
    expect(done.said).toHaveLength(1);
  });
});

describe('a vacancy that another process left', () => {
  it('is filled by it, or 3.5 s later by us, without touching agents that have just come', async () => {
    const call = await aCall();
    await pass(2);
    await vacate(redis, call.id, { agent: 'agent-1', cause: 'host_died' });
    livekit.rooms.get(call.room)!.agents = ['agent-1', 'agent-1-1'];
    await pass(3);
    expect(livekit.asked).toEqual([]);
    await pass(1.5);
    expect(livekit.asked).toHaveLength(1);
    expect(livekit.rooms.get(call.room)?.agents).toEqual(['agent-1-1']);
    expect(done.counted).toEqual(['host_died']);
    // One that has been there for long and does not attend the call keeps others away.
    await pass(2.5);
    expect(livekit.rooms.get(call.room)?.agents).toEqual([]);
  });

  it('of a call that is over is forgotten', async () => {
    const id = newCallId();
    await attend(redis, id, { agent: 'agent-1', host: 'lost.1' });
    await vacate(redis, id, { agent: 'agent-1', cause: 'host_died' });
    await pass(0.5);
    expect(await attendanceOf(redis, id)).toBeUndefined();
  });
});

describe('what cannot be seen', () => {
  it('is not taken for gone: after Redis was away for a minute everybody is given time to beat', async () => {
    await aCall();
    await pass(2);
    now += 60_000;
    // The beats are as they were, for a time in which clients connect again.
    const both = beating.hosts;
    beating.hosts = new Set();
    await pass(3);
    beating.hosts = both;
    await pass(20);
    expect(livekit.asked).toEqual([]);
    expect(done).toEqual({ said: [], counted: [] });
  });

  it('ends nobody while LiveKit is away, and asks for an agent when it is back', async () => {
    const call = await aCall();
    await loseTheHost();
    for (const method of ['ListRooms', 'ListParticipants']) livekit.failing.add(method);
    await pass(30);
    expect(await endsOf(redis, call.id)).toEqual([]);
    livekit.failing.clear();
    await pass(2);
    expect(livekit.asked.length).toBeGreaterThan(0);
    expect(done.said).toEqual([]);
    await pass(5);
    expect(done.said).toHaveLength(1);
  });
});

it('begins again with a call whose room could not be closed', async () => {
  const call = await aCall();
  await loseTheHost();
  livekit.failing.add('DeleteRoom');
  await pass(13);
  expect(await attendanceOf(redis, call.id)).toMatchObject({ state: 'vacant' });
  livekit.failing.clear();
  await pass(15);
  expect(livekit.deleted).toEqual([call.room]);
  expect(await listLiveCalls(redis)).toEqual([]);
});

describe('several dispatchers', () => {
  it('act one at a time, and the next knows at once who lives', async () => {
    const other = lostAgentsWatch({ redis, rooms, queue }, { dispatcher: 'other' });
    const call = await aCall();
    for (let look = 0; look < 6; look += 1) {
      await pass(0.5);
      await other.watch.look(now);
    }
    beating.hosts.delete('lost.1');
    for (let look = 0; look < 6; look += 1) {
      await pass(0.5);
      await other.watch.look(now);
      await other.watch.settled();
    }
    await watch.stop();
    await pass(1, other.watch);
    expect(livekit.asked).toHaveLength(1);
    expect(other.done.counted).toEqual(['worker_lost']);
    expect(await attendanceOf(redis, call.id)).toMatchObject({ state: 'vacant' });
  });

  it('see to a call whose dispatcher died while it said the sentence', async () => {
    const call = await aCall();
    await vacate(redis, call.id, { agent: 'agent-1', cause: 'worker_lost' });
    await attend(redis, call.id, { agent: 'announcer-1', host: 'dispatcher other' });
    beating.dispatchers.add('other');
    await pass(20);
    expect(livekit.asked).toEqual([]);
    beating.dispatchers.clear();
    await pass(4);
    expect(livekit.asked).toHaveLength(1);
  });
});

it('tells the ledger what the lost agent could not tell any more, before the end', async () => {
  const call = await aCall();
  const [facts, saying, usage] = [
    {
      direction: 'inbound',
      trunk: 'office',
      phone: 'sip_caller',
      personality: 'receptionist',
      hash: 'abc',
      instructions: '',
      maxDurationMs: 60_000,
    },
    { text: 'Hello, how can I help?', whole: true, heard: 'Hello,' },
    [{ component: 'tts', provider: 'simulator', characters: 22 }],
  ];
  for (const [field, value] of Object.entries({ facts, saying, usage })) {
    await redis.hset(memoryKey(call.id), field, JSON.stringify(value));
  }
  await loseTheHost();
  await pass(13);
  const told = new Map((await eventsOf(redis, call.id)).map((event) => [event.id, event]));
  expect([...told.values()]).toMatchObject([
    { type: 'turn', data: { text: 'Hello,', interrupted: true } },
    { type: 'call.usage', data: { usage } },
    { type: 'turn', data: { text: expect.stringMatching(/^I am sorry/) } },
    { type: 'call.ended' },
  ]);
});

it('ends a call also where the sentence cannot be said', async () => {
  ({ watch, done } = lostAgentsWatch(
    { redis, rooms, queue },
    { announce: () => Promise.reject(new Error('broken')) },
  ));
  const call = await aCall();
  await loseTheHost();
  await pass(13);
  expect(done.counted).toEqual(['worker_lost', 'failed', 'without agent']);
  expect(await endsOf(redis, call.id)).toEqual([expect.stringMatching(/^failed: .*could be said/)]);
});
