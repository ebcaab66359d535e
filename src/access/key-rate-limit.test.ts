import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../call/ledger/testing.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { KeyRateLimit } from './key-rate-limit.ts';

describe('the requests of a key', () => {
  let server: RedisServer;
  const clients: Redis[] = [];
  const openLimit = async () => {
    const redis = connectRedis(server.url, silentLog, 'impatient');
    clients.push(redis);
    await new Promise((resolve) => redis.once('ready', resolve));
    return new KeyRateLimit({ redis, log: silentLog });
  };

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await server.remove();
  });

  it('are counted over all apis, each key by its own limit', async () => {
    const [one, other] = [await openLimit(), await openLimit()];
    expect(await one.count('key_a', 3)).toMatchObject({ permitted: true, remaining: 2 });
    expect(await other.count('key_a', 3)).toMatchObject({ permitted: true, remaining: 1 });
    expect(await one.count('key_a', 3)).toMatchObject({ permitted: true, remaining: 0 });
    const over = await other.count('key_a', 3);
    expect(over).toMatchObject({ permitted: false, remaining: 0 });
    expect(over?.resetMs).toBeGreaterThan(0);
    expect(over?.resetMs).toBeLessThanOrEqual(60_000);
    expect(await other.count('key_b', 3)).toMatchObject({ permitted: true, remaining: 2 });
  });

  it('are exact when they race', async () => {
    const limit = await openLimit();
    const all = await Promise.all(Array.from({ length: 60 }, async () => limit.count('key_c', 25)));
    expect(all.filter((one) => one?.permitted)).toHaveLength(25);
  });

  it('begin anew when the minute is over', async () => {
    const limit = await openLimit();
    await limit.count('key_d', 1);
    expect(await limit.count('key_d', 1)).toMatchObject({ permitted: false });
    const [name = ''] = await clients[0]!.keys('*key_d');
    expect(await clients[0]!.pttl(name)).toBeGreaterThan(0);
    await clients[0]!.del(name);
    expect(await limit.count('key_d', 1)).toMatchObject({ permitted: true });
  });

  it('are not counted while Redis is away or hangs', async () => {
    const [hanging, away] = [await openLimit(), await openLimit()];
    server.freeze();
    expect(await hanging.count('key_e', 1)).toBeUndefined();
    await server.kill();
    expect(await away.count('key_e', 1)).toBeUndefined();
    // For a while nothing is even asked.
    expect(await hanging.count('key_e', 1)).toBeUndefined();
  });
});
