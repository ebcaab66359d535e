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

it('beats as often as it is told, under its own name, by the clock of Redis', async () => {
  await redis.del(fleetKey('hosts'));
  const releases = new Releases();
  const clock = vi.spyOn(Date, 'now').mockReturnValue(0);
  try {
    const state = () => ({ calls: 3 });
    await startHeartbeat({
      redis,
      log,
      fleet: 'hosts',
      state,
      releases,
      id: 'worker.1',
      everyMs: 20,
    });
    const first = await redis.hget(fleetKey('hosts'), 'worker.1');
    await vi.waitFor(async () =>
      expect(await redis.hget(fleetKey('hosts'), 'worker.1')).not.toBe(first),
    );
    expect(await freshBeats(redis, 'hosts')).toMatchObject([{ calls: 3 }]);
  } finally {
    clock.mockRestore();
    await releases.run();
  }
  expect(await redis.exists(fleetKey('hosts'))).toBe(0);
});
