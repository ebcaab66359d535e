import { parseRedisAddress, type RedisAddress } from '../platform/redis-address.ts';

/** Of both servers: with Sentinel their default is 200 ms, which a busy machine misses. */
const ANSWER_LIMIT_MS = 2000;

/**
 * The section `redis` of livekit-server's and livekit-sip's configuration; both read the same one
 * (github.com/livekit/protocol, redis/redis.go).
 */
export function redisOfLivekit(url: string): Record<string, unknown> {
  const address = parseRedisAddress(url);
  return {
    ...placeOf(address),
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.database === 0 ? {} : { db: address.database }),
    ...(address.tls ? { tls: { enabled: true } } : {}),
  };
}

function placeOf(address: RedisAddress): Record<string, unknown> {
  if (address.kind === 'server') return { address: hostPort(address) };
  const { sentinelUsername, sentinelPassword } = address;
  return {
    sentinel_master_name: address.master,
    sentinel_addresses: address.sentinels.map(hostPort),
    ...(sentinelUsername === undefined ? {} : { sentinel_username: sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinel_password: sentinelPassword }),
    dial_timeout: ANSWER_LIMIT_MS,
    read_timeout: ANSWER_LIMIT_MS,
    write_timeout: ANSWER_LIMIT_MS,
  };
}

function hostPort({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
