import { Redis, type RedisOptions } from 'ioredis';
import type { Log } from './log.ts';
import { QuietSentinels } from './quiet-sentinels.ts';
import { parseRedisAddress } from './redis-address.ts';

export type { Redis } from 'ioredis';

/** Longer than anybody lets Redis wait before it answers (the queue up to 10 s): it is gone without a word. */
const SILENCE_LIMIT_MS = 15_000;

/** An answer of a Sentinel is awaited so long before the next one is asked. */
const SENTINEL_LIMIT_MS = 1000;

/**
 * A Redis client that reconnects for ever. Commands given while Redis is away wait (`patient`, for
 * background work) or fail at once (`impatient`, for requests that a person waits for).
 *
 * With Sentinel it always finds the master: it asks anew at each connection, and leaves a master as soon as a
 * Sentinel says that there is another. What was sent and not answered is sent again to the new one, so every
 * command must bear being carried out twice.
 *
 * @throws Error where the URL is not one of Redis.
 */
export function connectRedis(url: string, log: Log, kind: 'patient' | 'impatient'): Redis {
  const client = new Redis({
    ...locationOf(url),
    // BullMQ demands null for its blocking connections; it also means that no command is dropped.
    maxRetriesPerRequest: kind === 'patient' ? null : 1,
    enableOfflineQueue: kind === 'patient',
    retryStrategy: backoffMs,
    // A machine that is cut off says no goodbye.
    socketTimeout: SILENCE_LIMIT_MS,
    // A master that has become a replica while we were connected: connect anew, and send the command again.
    reconnectOnError: (error) => (error.message.includes('READONLY') ? 2 : false),
  });
  client.on('error', (error: Error) => log.warn({ err: error }, 'redis connection failed'));
  return client;
}

/** The clock that all processes share, in ms since the epoch. */
export async function redisNow(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

function locationOf(url: string): RedisOptions {
  const address = parseRedisAddress(url);
  const tls = address.tls ? { tls: {} } : {};
  const common = {
    db: address.database,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...tls,
  };
  if (address.kind === 'server') return { ...common, host: address.host, port: address.port };
  return {
    ...common,
    role: 'master',
    name: address.master,
    sentinels: address.sentinels,
    ...(address.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    ...(address.sentinelUsername === undefined
      ? {}
      : { sentinelUsername: address.sentinelUsername }),
    ...(address.sentinelPassword === undefined
      ? {}
      : { sentinelPassword: address.sentinelPassword }),
    sentinelRetryStrategy: backoffMs,
    sentinelReconnectStrategy: backoffMs,
    sentinelCommandTimeout: SENTINEL_LIMIT_MS,
    failoverDetector: true,
    Connector: QuietSentinels,
  };
}

function backoffMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), 2000);
}
