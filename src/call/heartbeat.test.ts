import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { Releases } from '../platform/releases.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { fleetKey, freshBeats, startHeartbeat, type Beat } from './heartbeat.ts';

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

const key = fleetKey('workers');

it('beats while the process lives, forgets those that were killed, and is gone when it stops', async () => {
  const beat = (agoMs: number): string =>
    JSON.stringify({ calls: 0, capacity: 8, at: Date.now() - agoMs } satisfies Beat);
  await redis.hset(key, 'killed', beat(120_000), 'other', beat(3000), 'broken', '{');
  const releases = new Releases();
  let calls = 1;
  const state = () => ({ calls, capacity: 8 });
  await startHeartbeat({ redis, log, fleet: 'workers', state, releases });
  expect(await redis.hkeys(key)).toHaveLength(2);
  expect(new Set((await freshBeats(redis, 'workers')).map((fresh) => fresh.calls))).toEqual(
    new Set([0, 1]),
  );
  calls = 2;
  await vi.waitFor(
    async () =>
      expect((await freshBeats(redis, 'workers')).map((fresh) => fresh.calls)).toContain(2),
    { timeout: 30_000 },
  );
  await releases.run();
  expect(await redis.hkeys(key)).toEqual(['other']);
});

it('counts no process whose beat is older than 10 s', async () => {
  await redis.del(key);
  await redis.hset(key, 'dead', JSON.stringify({ calls: 1, at: Date.now() - 11_000 }));
  expect(await freshBeats(redis, 'workers')).toEqual([]);
});
