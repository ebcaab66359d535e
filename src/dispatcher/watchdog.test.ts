import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { attend, attendanceOf } from '../call/attendance.ts';
import { newCallId } from '../call/call-id.ts';
import { readFence } from '../call/dial-fence.ts';
import { EventPublisher } from '../call/event-stream.ts';
import { enterLiveCall, listLiveCalls, seatsTaken, type LiveCall } from '../call/live-calls.ts';
import { OUTBOUND_QUEUE } from '../call/order.ts';
import { Lease } from '../platform/lease.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { CallRooms } from './call-room.ts';
import { lostAgentsWatch, type Done } from './fixtures/lost-agents-watch.ts';
import { watchedCallers } from './fixtures/watched-callers.ts';
import { endsOf } from './fixtures/events-of.ts';
import { LiveKitStandIn } from './fixtures/livekit-stand-in.ts';
import { standInConfig } from './fixtures/stand-in-config.ts';
import type { AttendanceWatch } from './lost-agents/attendance-watch.ts';
import type { LostAgents } from './lost-agents/lost-agents.ts';
import { Watchdog } from './watchdog.ts';

let server: RedisServer;
let redis: Redis;
let queue: Queue;
let livekit: LiveKitStandIn;
let watch: AttendanceWatch;
let lost: LostAgents;
let done: Done;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
  queue = new Queue(OUTBOUND_QUEUE, { connection: redis });
});

beforeEach(async () => {
  livekit = await LiveKitStandIn.start();
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

/** A watchdog without patience, so that two looks are enough. */
function aWatchdog(graceMs = 0): Watchdog {
  const config = standInConfig(livekit);
  const rooms = new CallRooms(connectLiveKit(config), config.AGENT_NAME);
  const callers = watchedCallers({ redis, rooms });
  ({ watch, lost, done } = lostAgentsWatch({ redis, rooms, queue }));
  return new Watchdog(
    {
      redis,
      queue,
      rooms,
      events: new EventPublisher(redis),
      lease: new Lease(redis, 'trunkline:watchdog', 10_000),
      log: createLog('test', 'fatal'),
      trunks: ['office'],
      callers,
      attendance: watch,
      lost,
    },
    { tickMs: 20, roomGraceMs: graceMs, agentGraceMs: graceMs, unattendedGraceMs: graceMs },
  );
}

async function aLiveCall(direction: LiveCall['direction']): Promise<LiveCall> {
  const id = newCallId();
  const call: LiveCall = { id, room: `room ${id}`, trunk: 'office', direction, since: Date.now() };
  if (direction === 'outbound') call.room = id;
  await enterLiveCall(redis, call);
  return call;
}

test.each(['inbound', 'outbound'] as const)(
  'an %s call whose room is gone is ended, and its seat is free',
  async (direction) => {
    const call = await aLiveCall(direction);
    await aWatchdog().look();
    expect(await endsOf(redis, call.id)).toEqual([expect.stringMatching(/^failed: /)]);
    expect(await listLiveCalls(redis)).toEqual([]);
    expect(await seatsTaken(redis, 'office')).toBe(0);
  },
);

test('a lost room is left to its worker for a while', async () => {
  const call = await aLiveCall('inbound');
  const watchdog = aWatchdog(60_000);
  await watchdog.look();
  await watchdog.look();
  expect(await endsOf(redis, call.id)).toEqual([]);
});

test('an outbound call that is still a job is left to its dispatcher', async () => {
  const call = await aLiveCall('outbound');
  await queue.add('dial', {}, { jobId: call.id });
  await aWatchdog().look();
  expect(await endsOf(redis, call.id)).toEqual([]);
  expect(await readFence(redis, call.id)).toBeUndefined();
});

test('somebody on the line of whose agent nothing is known hears a sentence, and the call ends', async () => {
  const call = await aLiveCall('inbound');
  livekit.rooms.set(call.room, { agent: false, phone: 'active', dispatches: 1 });
  await aWatchdog().look();
  expect(done.said).toMatchObject([{ room: call.room }]);
  expect(livekit.deleted).toEqual([call.room]);
  expect(await endsOf(redis, call.id)).toEqual([expect.stringMatching(/recorded sentence/)]);
});

test('an agent that is not in its room, though its host lives, is followed by another', async () => {
  const call = await aLiveCall('inbound');
  await attend(redis, call.id, { agent: 'agent-1', host: 'living.1' });
  livekit.rooms.set(call.room, { agent: false, phone: 'active', dispatches: 1 });
  const watchdog = aWatchdog();
  await watchdog.look();
  await watch.settled();
  expect(await attendanceOf(redis, call.id)).toMatchObject({
    state: 'vacant',
    cause: 'host_stuck',
  });
  expect(livekit.asked).toMatchObject([{ room: call.room }]);
  // From here on it is a matter of the watch over vacancies.
  livekit.rooms.get(call.room)!.agent = false;
  await watchdog.look();
  await watch.settled();
  expect(livekit.asked).toHaveLength(1);
  expect(await endsOf(redis, call.id)).toEqual([]);
});

test('a call with its agent is left alone, and so is one that rings without one', async () => {
  const [talking, ringing] = [await aLiveCall('inbound'), await aLiveCall('outbound')];
  livekit.rooms.set(talking.room, { agent: true, phone: 'active', dispatches: 1 });
  livekit.rooms.set(ringing.room, { agent: false, phone: 'ringing', dispatches: 1 });
  await aWatchdog().look();
  expect(livekit.deleted).toEqual([]);
  expect(await listLiveCalls(redis)).toHaveLength(2);
});

test('nothing is ended while LiveKit cannot be asked', async () => {
  const call = await aLiveCall('inbound');
  const watchdog = aWatchdog();
  livekit.close();
  await expect(watchdog.look()).rejects.toThrow();
  expect(await endsOf(redis, call.id)).toEqual([]);
});

test('one watchdog works at a time, and another takes over when it stops', async () => {
  const other = new Lease(redis, 'trunkline:watchdog', 60_000);
  expect(await other.hold()).toBe(true);
  const call = await aLiveCall('inbound');
  const watchdog = aWatchdog();
  const commands: string[] = [];
  const monitor = await redis.monitor();
  monitor.on('monitor', (_time: string, command: string[]) => commands.push(command.join(' ')));
  watchdog.start();
  const looks = () => commands.filter((command) => /^eval.*trunkline:watchdog/is.test(command));
  await vi.waitFor(() => expect(looks().length).toBeGreaterThan(3));
  expect(await endsOf(redis, call.id)).toEqual([]);
  await other.release();
  await vi.waitFor(async () => expect(await endsOf(redis, call.id)).toHaveLength(1));
  await watchdog.stop();
  monitor.disconnect();
  expect(await other.hold()).toBe(true);
});
