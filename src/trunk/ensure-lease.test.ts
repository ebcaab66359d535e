import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { withEnsureLease } from './ensure-lease.ts';

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
beforeEach(() => redis.flushall());

it('lets one run after the other', async () => {
  let running = 0;
  let most = 0;
  const work = async () => {
    running += 1;
    most = Math.max(most, running);
    await redis.ping();
    running -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withEnsureLease(redis, 5000, work)));
  expect(most).toBe(1);
  expect(await redis.keys('*')).toEqual([]);
});

it('gives the lease back when the work fails', async () => {
  await expect(withEnsureLease(redis, 0, () => Promise.reject(new Error('no')))).rejects.toThrow(
    'no',
  );
  expect(await withEnsureLease(redis, 0, () => Promise.resolve('done'))).toBe('done');
});

it('says so when another run does not end', async () => {
  await withEnsureLease(redis, 0, async () => {
    await expect(withEnsureLease(redis, 0, () => Promise.resolve())).rejects.toThrow(/under way/);
  });
});

it('does not give back a lease that it has lost', async () => {
  await withEnsureLease(redis, 0, async () => {
    await redis.set('trunkline:lease:ensure', 'somebody else');
  });
  expect(await redis.get('trunkline:lease:ensure')).toBe('somebody else');
});
