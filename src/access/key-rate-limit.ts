import { RateLimiterRedis } from 'rate-limiter-flexible';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import { withinMs } from '../platform/time-limit.ts';

export const WINDOW_S = 60;
const REDIS_MS = 500;
/** After a failure Redis is left alone for so long, so that not each request waits for it. */
const PAUSE_MS = 2000;

/** What is left of a key's minute. */
export type Allowance = {
  permitted: boolean;
  remaining: number;
  /** Until the minute of the key is over, and it has its whole limit again. */
  resetMs: number;
};

/**
 * Counts the requests of each key over all apis, in minutes that begin with a key's first request. While Redis is
 * away everything is permitted: nobody's work stops because nobody counts it.
 */
export class KeyRateLimit {
  readonly #counter: RateLimiterRedis;
  readonly #log: Log;
  #pausedUntil = 0;

  constructor(deps: { redis: Redis; log: Log }) {
    this.#log = deps.log;
    this.#counter = new RateLimiterRedis({
      storeClient: deps.redis,
      keyPrefix: 'trunkline:key-rate',
      // It only counts: each key has a limit of its own.
      points: Number.MAX_SAFE_INTEGER,
      duration: WINDOW_S,
    });
  }

  /** Counts one request of a key; undefined where it cannot be counted. */
  async count(keyId: string, limit: number): Promise<Allowance | undefined> {
    if (Date.now() < this.#pausedUntil) return undefined;
    try {
      const { consumedPoints, msBeforeNext } = await withinMs(
        REDIS_MS,
        this.#counter.consume(keyId),
      );
      return {
        permitted: consumedPoints <= limit,
        remaining: Math.max(0, limit - consumedPoints),
        resetMs: Math.max(0, msBeforeNext),
      };
    } catch (thrown) {
      this.#pausedUntil = Date.now() + PAUSE_MS;
      this.#log.warn({ err: asError(thrown) }, 'requests of keys are not counted');
      return undefined;
    }
  }
}
