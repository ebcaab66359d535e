import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { Releases } from '../platform/releases.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { startHeartbeat, WORKERS_KEY, type WorkerBeat } from './heartbeat.ts';

const log = createLog('test', 'fatal');
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

const beatOf = async (id: string): Promise<WorkerBeat | undefined> => {
  const text = await redis.hget(WORKERS_KEY, id);
  return text === null ? undefined : (JSON.parse(text) as WorkerBeat);
};

it('beats while the worker lives, forgets those that were killed, and is gone when it stops', async () => {
  const beat = { calls: 0, capacity: 8 };
  await redis.hset(WORKERS_KEY, 'killed', JSON.stringify({ ...beat, at: Date.now() - 120_000 }));
  await redis.hset(WORKERS_KEY, 'other', JSON.stringify({ ...beat, at: Date.now() - 3000 }));
  const releases = new Releases();
  let calls = 1;
  const state = () => ({ calls, capacity: 8 });
  await startHeartbeat({ redis, log, workerId: 'me', state, releases });
  const first = await beatOf('me');
  expect(first).toMatchObject({ calls: 1, capacity: 8 });
  expect(await redis.hkeys(WORKERS_KEY)).toEqual(['other', 'me']);
  calls = 2;
  while ((await beatOf('me'))?.calls !== 2) await delay(20);
  await releases.run();
  expect(await redis.hkeys(WORKERS_KEY)).toEqual(['other']);
});
