import { Redis } from 'ioredis';
import type { Log } from './log.ts';

export type { Redis } from 'ioredis';

/**
 * A Redis client that reconnects for ever. Commands given while Redis is away wait (`patient`, for
 * background work) or fail at once (`impatient`, for requests that a person waits for).
 */
export function connectRedis(url: string, log: Log, kind: 'patient' | 'impatient'): Redis {
  const client = new Redis(url, {
    // BullMQ demands null for its blocking connections; it also means that no command is dropped.
    maxRetriesPerRequest: kind === 'patient' ? null : 1,
    enableOfflineQueue: kind === 'patient',
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2000),
  });
  client.on('error', (error: Error) => log.warn({ err: error }, 'redis connection failed'));
  return client;
}

/** The clock that all processes share, in ms since the epoch. */
export async function redisNow(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}
