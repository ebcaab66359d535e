import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import {
  attend,
  attendanceOf,
  closeAttendance,
  listAttendance,
  stillAttends,
  vacate,
} from './attendance.ts';
import { newCallId } from './call-id.ts';
import { enterLiveCall, leaveLiveCall } from './live-calls.ts';

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
});

afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

const first = { agent: 'agent-1', host: 'machine-1.1' };
const second = { agent: 'agent-2', host: 'machine-2.1' };

test('one agent attends a call, however often it says so, and no second one', async () => {
  const call = newCallId();
  expect(await attend(redis, call, first)).toBe(true);
  expect(await attend(redis, call, first)).toBe(true);
  expect(await attend(redis, call, second)).toBe(false);
  expect(await attendanceOf(redis, call)).toEqual({ state: 'attended', ...first });
});

test('of many who notice a lost agent one sees to the next', async () => {
  const call = newCallId();
  await attend(redis, call, first);
  const lost = { agent: first.agent, cause: 'host_died' } as const;
  const won = await Promise.all(Array.from({ length: 10 }, () => vacate(redis, call, lost)));
  expect(won.filter(Boolean)).toHaveLength(1);
  const attendance = await attendanceOf(redis, call);
  expect(attendance).toMatchObject({ state: 'vacant', cause: 'host_died', agent: first.agent });
  expect(await attend(redis, call, second)).toBe(true);
});

test('an agent that was given up and comes back finds the call taken', async () => {
  const call = newCallId();
  await attend(redis, call, first);
  expect(await stillAttends(redis, call, first.agent)).toBe(true);
  await vacate(redis, call, { agent: first.agent, cause: 'worker_lost' });
  expect(await stillAttends(redis, call, first.agent)).toBe(false);
  expect(await attend(redis, call, first)).toBe(false);
  await attend(redis, call, second);
  expect(await stillAttends(redis, call, first.agent)).toBe(false);
  expect(await vacate(redis, call, { agent: first.agent, cause: 'worker_lost' })).toBe(false);
});

test('a Redis that has lost everything takes no call from its agent', async () => {
  expect(await stillAttends(redis, newCallId(), first.agent)).toBe(true);
});

test('an agent finds a call over that was ended in its place, and none begins with it', async () => {
  const call = newCallId();
  await attend(redis, call, first);
  await closeAttendance(redis, call);
  await leaveLiveCall(redis, { id: call, trunk: 'office' });
  expect(await stillAttends(redis, call, first.agent)).toBe(false);
  expect(await attend(redis, call, second)).toBe(false);
});

test('nothing remains of a call that is over', async () => {
  const id = newCallId();
  await enterLiveCall(redis, { id, room: id, trunk: 'office', direction: 'inbound', since: 0 });
  await attend(redis, id, first);
  expect((await listAttendance(redis)).has(id)).toBe(true);
  await leaveLiveCall(redis, { id, trunk: 'office' });
  expect((await listAttendance(redis)).has(id)).toBe(false);
});
