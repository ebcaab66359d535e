import { describe, expect, it } from 'vitest';
import { redisOfLivekit } from './redis-of-livekit.ts';
import { runsRedis } from './runs-redis.ts';

describe('the Redis of the LiveKit servers', () => {
  it('is the one server of REDIS_URL', () => {
    expect(redisOfLivekit('redis://127.0.0.1:7000')).toEqual({ address: '127.0.0.1:7000' });
    expect(redisOfLivekit('rediss://ada:word@[::1]/2')).toEqual({
      address: '[::1]:6379',
      username: 'ada',
      password: 'word',
      db: 2,
      tls: { enabled: true },
    });
  });

  it('is the master that the Sentinels of REDIS_URL name', () => {
    expect(
      redisOfLivekit('redis+sentinel://:word@10.0.0.1,10.0.0.2:7001/calls?sentinel_password=s'),
    ).toMatchObject({
      password: 'word',
      sentinel_master_name: 'calls',
      sentinel_addresses: ['10.0.0.1:26379', '10.0.0.2:7001'],
      sentinel_password: 's',
    });
  });

  it('is run by the stack only where it is one server on loopback', () => {
    expect(runsRedis({})).toBe(true);
    expect(runsRedis({ REDIS_URL: 'redis://localhost:6380' })).toBe(true);
    expect(runsRedis({ REDIS_URL: 'redis://10.0.0.5:6379' })).toBe(false);
    expect(runsRedis({ REDIS_URL: 'redis+sentinel://127.0.0.1/calls' })).toBe(false);
  });
});
