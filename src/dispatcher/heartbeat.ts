import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';

/** Hash of the dispatchers by their ids; one whose `at` is more than some beats old is dead. */
const DISPATCHERS = 'trunkline:dispatchers';

const BEAT_MS = 2000;

/** Says every two seconds that this dispatcher lives. Returns what stops it and takes it off the list. */
export function startHeartbeat(
  redis: Redis,
  log: Log,
  details: () => Record<string, number>,
): () => Promise<void> {
  const id = randomUUID();
  const startedAt = Date.now();
  const beat = () => {
    const state = { at: Date.now(), startedAt, host: hostname(), pid: process.pid, ...details() };
    redis.hset(DISPATCHERS, id, JSON.stringify(state)).catch((thrown: unknown) => {
      log.warn({ err: asError(thrown) }, 'could not beat');
    });
  };
  beat();
  const timer = setInterval(beat, BEAT_MS);
  return async () => {
    clearInterval(timer);
    await redis.hdel(DISPATCHERS, id);
  };
}
