import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { CallEvent } from '../call/call-event.ts';
import { EVENT_STREAM, parseStreamEntry } from '../call/event-stream.ts';
import { allocateCallId, findCallId } from '../call/room-call-id.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { CallRooms } from './call-room.ts';
import { LiveKitStandIn } from './fixtures/livekit-stand-in.ts';
import { standInConfig } from './fixtures/stand-in-config.ts';
import { watchedCallers } from './fixtures/watched-callers.ts';
import type { WaitingCallers } from './waiting-callers.ts';

const ROOM = 'in-_+12025550149_x';
const attributes = {
  'sip.trunkID': 'ST_IN',
  'sip.trunkPhoneNumber': '+12025550123',
  'sip.phoneNumber': '+12025550149',
  'sip.callIDFull': 'abc@carrier',
  'sip.callStatus': 'ringing',
};

let server: RedisServer;
let redis: Redis;
let livekit: LiveKitStandIn;
let rooms: CallRooms;
/** Where the monotonic clock stood when the test began: the times below are seconds from there. */
let start: number;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
});

beforeEach(async () => {
  livekit = await LiveKitStandIn.start();
  livekit.agentsFree = false;
  const config = standInConfig(livekit);
  rooms = new CallRooms(connectLiveKit(config), config.AGENT_NAME);
  start = performance.now();
});

afterEach(async () => {
  livekit.close();
  await redis.flushall();
});

afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

function somebodyCalls(changes: Record<string, string> = {}, room = ROOM): void {
  const caller = { ...attributes, ...changes };
  livekit.rooms.set(room, { agent: false, phone: undefined, dispatches: 1, caller });
}

async function lookAt(callers: WaitingCallers, seconds: number[], live: string[] = []) {
  for (const second of seconds) {
    const view = { rooms: await rooms.names(), live: new Set(live), now: start + second * 1000 };
    await callers.look(view);
  }
}

async function told(): Promise<CallEvent[]> {
  const entries = await redis.xrange(EVENT_STREAM, '-', '+');
  return entries.map(([, fields]) => parseStreamEntry(fields));
}

const asked = () => livekit.received.filter((method) => method === 'CreateDispatch').length;

test('a caller for whom no worker is free gets a second try, then a refusal that the ledger hears of', async () => {
  const callers = watchedCallers({ redis, rooms });
  somebodyCalls();
  await lookAt(callers, [0, 2, 10]);
  expect(asked()).toBe(0);
  await lookAt(callers, [12, 14, 22]);
  expect(asked()).toBe(1);
  expect([livekit.deleted, await told()]).toEqual([[], []]);
  await lookAt(callers, [24, 26, 40]);
  expect(livekit.deleted).toEqual([ROOM]);
  const id = await findCallId(redis, ROOM);
  const [received, ended, ...more] = await told();
  expect(received).toMatchObject({
    type: 'call.received',
    call: id,
    data: {
      from: '+12025550149',
      to: '+12025550123',
      trunk: 'office',
      personality: 'receptionist',
      simulated: true,
      sipCallId: 'abc@carrier',
    },
  });
  expect(ended).toMatchObject({
    type: 'call.ended',
    call: id,
    data: { outcome: 'failed', reason: 'No agent was free to answer.', hungUpBy: 'system' },
  });
  expect(more).toEqual([]);
  const rangMs = (ended?.at ?? 0) - (received?.at ?? 0);
  expect(Math.abs(rangMs - 24_000)).toBeLessThan(5);
});

test('an agent that comes at the second try has the call to itself', async () => {
  const callers = watchedCallers({ redis, rooms });
  somebodyCalls();
  livekit.agentsFree = true;
  await lookAt(callers, [0, 12, 14, 24, 60]);
  expect(asked()).toBe(1);
  expect([livekit.deleted, await told()]).toEqual([[], []]);
});

test('a caller who hangs up before an agent is free is told as canceled', async () => {
  const callers = watchedCallers({ redis, rooms });
  somebodyCalls();
  await lookAt(callers, [0, 2]);
  livekit.rooms.delete(ROOM);
  await lookAt(callers, [4, 10]);
  expect(await told()).toEqual([]);
  await lookAt(callers, [16, 18]);
  const [received, ended, ...more] = await told();
  expect(received?.type).toBe('call.received');
  expect(ended?.data).toMatchObject({ outcome: 'canceled', hungUpBy: 'caller' });
  expect(more).toEqual([]);
  // The end is when the caller was first missed, not when that was believed.
  expect(Math.abs((ended?.at ?? 0) - (received?.at ?? 0) - 4000)).toBeLessThan(5);
});

test('a caller who was only out of sight still waits', async () => {
  const callers = watchedCallers({ redis, rooms });
  somebodyCalls();
  await lookAt(callers, [0]);
  livekit.rooms.delete(ROOM);
  await lookAt(callers, [2, 8]);
  somebodyCalls();
  await lookAt(callers, [10, 22]);
  expect(await told()).toEqual([]);
  await lookAt(callers, [24]);
  expect((await told()).at(-1)?.data).toMatchObject({ outcome: 'failed' });
});

test('a caller who is gone when the agent comes is told as canceled, and the room left to the agent', async () => {
  const callers = watchedCallers({ redis, rooms });
  somebodyCalls();
  await lookAt(callers, [0]);
  livekit.rooms.set(ROOM, { agent: true, phone: undefined, dispatches: 1 });
  await lookAt(callers, [2, 14]);
  expect((await told()).at(-1)?.data).toMatchObject({ outcome: 'canceled' });
  expect(livekit.deleted).toEqual([]);
});

test('a call that a worker has told of is the worker’s, however it goes on', async () => {
  const callers = watchedCallers({ redis, rooms });
  const [gone, rings] = [ROOM, 'in-_other'];
  somebodyCalls({}, gone);
  somebodyCalls({}, rings);
  await lookAt(callers, [0]);
  await allocateCallId(redis, gone);
  await allocateCallId(redis, rings);
  livekit.rooms.delete(gone);
  await lookAt(callers, [2, 14, 24, 26]);
  expect([livekit.deleted, await told()]).toEqual([[], []]);
});

test.each<[string, () => string[]]>([
  [
    'with an agent',
    () => {
      somebodyCalls();
      Object.assign(livekit.rooms.get(ROOM) ?? {}, { agent: true });
      return [];
    },
  ],
  [
    'of a live call',
    () => {
      somebodyCalls();
      return [ROOM];
    },
  ],
  [
    'whose call was answered',
    () => {
      somebodyCalls({ 'sip.callStatus': 'active' });
      return [];
    },
  ],
  [
    'of a trunk that is not ours',
    () => {
      somebodyCalls({ 'sip.trunkID': 'ST_FOREIGN' });
      return [];
    },
  ],
  [
    'with another name',
    () => {
      somebodyCalls({}, 'call_x');
      return [];
    },
  ],
])('a room %s is left alone, also when its agent has gone', async (_kind, prepare) => {
  const callers = watchedCallers({ redis, rooms });
  const live = prepare();
  await lookAt(callers, [0, 12], live);
  for (const room of livekit.rooms.values()) room.agent = false;
  await lookAt(callers, [24, 40, 60]);
  expect([asked(), livekit.deleted, await told()]).toEqual([0, [], []]);
});

test('the refusal is told once although the room could not be closed at first', async () => {
  const callers = watchedCallers({ redis, rooms });
  somebodyCalls();
  await lookAt(callers, [0, 12]);
  livekit.failing.add('DeleteRoom');
  await lookAt(callers, [24]);
  livekit.failing.clear();
  await lookAt(callers, [26]);
  expect(livekit.deleted).toEqual([ROOM]);
  expect(new Set((await told()).map((event) => event.id)).size).toBe(2);
});

test('a personality that does not exist is told as the default one', async () => {
  const callers = watchedCallers({ redis, rooms }, ['fallback']);
  somebodyCalls();
  await lookAt(callers, [0, 24]);
  expect((await told())[0]?.data).toMatchObject({ personality: 'fallback', simulated: true });
});

test('who takes the watch over starts to count anew', async () => {
  const callers = watchedCallers({ redis, rooms });
  somebodyCalls();
  await lookAt(callers, [0, 12]);
  callers.forget();
  await lookAt(callers, [24, 30]);
  expect(livekit.deleted).toEqual([]);
});
