import { describe, expect, it } from 'vitest';
import { parseRedisAddress } from './redis-address.ts';

describe('the address of Redis', () => {
  it('is one server, on the usual port and database where nothing is said', () => {
    expect(parseRedisAddress('redis://127.0.0.1')).toMatchObject({
      kind: 'server',
      host: '127.0.0.1',
      port: 6379,
      database: 0,
      tls: false,
    });
    expect(parseRedisAddress('rediss://ada:p%40ss@[::1]:7000/3')).toMatchObject({
      host: '::1',
      port: 7000,
      database: 3,
      tls: true,
      username: 'ada',
      password: 'p@ss',
    });
  });

  it('is the master that Sentinels name', () => {
    const url =
      'redis+sentinel://:word@10.0.0.1,10.0.0.2:26380/calls/2?sentinel_username=s&sentinel_password=a%26b';
    expect(parseRedisAddress(url)).toEqual({
      kind: 'sentinel',
      master: 'calls',
      sentinels: [
        { host: '10.0.0.1', port: 26_379 },
        { host: '10.0.0.2', port: 26_380 },
      ],
      username: undefined,
      password: 'word',
      sentinelUsername: 's',
      sentinelPassword: 'a&b',
      database: 2,
      tls: false,
    });
  });

  it.each([
    ['http://127.0.0.1', 'must look like'],
    ['redis://one,two', 'several hosts'],
    ['redis+sentinel://one,two', 'names no master'],
    ['redis+sentinel://one:99999/calls', 'host:port'],
    ['redis+sentinel://one,,two/calls', 'host:port'],
    ['redis://127.0.0.1/calls', 'must be a number'],
  ])('is refused as %s, with the reason and without the password', (url, reason) => {
    expect(() => parseRedisAddress(url.replace('://', '://user:secret@'))).toThrow(reason);
    expect(() => parseRedisAddress(url.replace('://', '://user:secret@'))).not.toThrow('secret');
  });
});
