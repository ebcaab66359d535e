import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { callEvent } from './call-event.ts';
import { newCallId, type CallId } from './call-id.ts';
import { readFence, releaseFence, sealEnd, takeFence, type DialingFence } from './dial-fence.ts';

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

function dialing(attempt: string): DialingFence {
  return { attempt, trunk: 'office', at: 1_790_000_000_000, ringMs: 45_000 };
}

function anEnd(callId: CallId, reason: string) {
  return callEvent('call.ended', callId, { outcome: 'failed', reason, hungUpBy: 'system' });
}

test('of many attempts one takes the fence', async () => {
  const callId = newCallId();
  const attempts = Array.from({ length: 20 }, (_, index) => dialing(`attempt ${index}`));
  const taken = await Promise.all(attempts.map((attempt) => takeFence(redis, callId, attempt)));
  expect(taken.filter(Boolean)).toHaveLength(1);
  expect(await readFence(redis, callId)).toEqual({
    state: 'dialing',
    ...attempts[taken.indexOf(true)],
  });
});

test('the fence outlasts two days', async () => {
  const callId = newCallId();
  await takeFence(redis, callId, dialing('one'));
  expect(await redis.pttl(`trunkline:fence:${callId}`)).toBeGreaterThan(2 * 86_400_000);
});

test('a call that has ended can no longer be dialled', async () => {
  const callId = newCallId();
  const end = anEnd(callId, 'blocked');
  expect(await sealEnd(redis, end, { attempt: 'one' })).toEqual(end);
  expect(await takeFence(redis, callId, dialing('two'))).toBe(false);
  expect(await readFence(redis, callId)).toEqual({ state: 'ended', event: end });
});

test('the first end stands, and whoever comes later is told it', async () => {
  const callId = newCallId();
  const first = anEnd(callId, 'first');
  await sealEnd(redis, first, 'anybody');
  expect(await sealEnd(redis, anEnd(callId, 'second'), 'anybody')).toEqual(first);
});

test('an attempt cannot end a call that another one dials, but who takes over can', async () => {
  const callId = newCallId();
  await takeFence(redis, callId, dialing('one'));
  expect(await sealEnd(redis, anEnd(callId, 'no'), { attempt: 'two' })).toBeUndefined();
  const end = anEnd(callId, 'watched');
  expect(await sealEnd(redis, end, 'anybody')).toEqual(end);
});

test('only its holder releases the fence, and only while it dials', async () => {
  const callId = newCallId();
  await takeFence(redis, callId, dialing('one'));
  await releaseFence(redis, callId, 'two');
  expect(await readFence(redis, callId)).toBeDefined();
  await releaseFence(redis, callId, 'one');
  expect(await readFence(redis, callId)).toBeUndefined();

  await takeFence(redis, callId, dialing('three'));
  await sealEnd(redis, anEnd(callId, 'over'), { attempt: 'three' });
  await releaseFence(redis, callId, 'three');
  expect(await readFence(redis, callId)).toMatchObject({ state: 'ended' });
});
