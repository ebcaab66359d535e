import { randomUUID } from 'node:crypto';
import type { Redis } from './redis.ts';

/** A right in Redis that one process at a time holds; one that does not renew it in time loses it. */
export class Lease {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #ttlMs: number;
  readonly #holder = randomUUID();

  constructor(redis: Redis, key: string, ttlMs: number) {
    this.#redis = redis;
    this.#key = key;
    this.#ttlMs = ttlMs;
  }

  /** Takes the lease, or renews it. False: somebody else holds it. */
  async hold(): Promise<boolean> {
    const held = await this.#redis.eval(HOLD, 1, this.#key, this.#holder, this.#ttlMs);
    return held === 1;
  }

  /** Gives the lease back where it is held, so that another process need not wait for it to run out. */
  async release(): Promise<void> {
    await this.#redis.eval(RELEASE, 1, this.#key, this.#holder);
  }
}

const HOLD = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
`;
