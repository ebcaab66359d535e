import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { attend, attendanceOf } from '../call/attendance.ts';
import { newCallId, type CallId } from '../call/call-id.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { RingingAgent } from './ringing-agent.ts';

let server: RedisServer;
let redis: Redis;
let callId: CallId;
let agent: RingingAgent;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
});
beforeEach(() => {
  callId = newCallId();
  agent = new RingingAgent(redis, callId);
});
afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

it('lets it ring while the agent is replaced, and cancels where none comes in 10 s', async () => {
  await attend(redis, callId, { agent: 'agent-1', host: 'living.1' });
  expect(await agent.isLost(true, 0)).toBe(false);
  expect(await agent.isLost(false, 1000)).toBe(false);
  expect(await attendanceOf(redis, callId)).toMatchObject({ state: 'attended' });
  expect(await agent.isLost(false, 4000)).toBe(false);
  expect(await attendanceOf(redis, callId)).toMatchObject({ state: 'vacant', cause: 'host_stuck' });
  expect(await agent.isLost(false, 10_500)).toBe(false);
  expect(await agent.isLost(false, 11_000)).toBe(true);
});

it('begins anew when an agent is there again', async () => {
  await attend(redis, callId, { agent: 'agent-1', host: 'living.1' });
  await agent.isLost(false, 0);
  expect(await agent.isLost(true, 9000)).toBe(false);
  expect(await agent.isLost(false, 12_000)).toBe(false);
  expect(await attendanceOf(redis, callId)).toMatchObject({ state: 'attended' });
});

it('cancels at once where nobody knows of an agent', async () => {
  expect(await agent.isLost(false, 0)).toBe(false);
  expect(await agent.isLost(false, 500)).toBe(true);
});
