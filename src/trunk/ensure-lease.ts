import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../platform/errors.ts';
import type { Redis } from '../platform/redis.ts';

const KEY = 'trunkline:lease:ensure';

/** A run that dies frees its lease after this; one that lives renews it. */
const LEASE_MS = 15_000;

/** Deletes, or prolongs, the lease only where it is still ours. */
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end`;
const RENEW = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end`;

/**
 * Runs `work` while no other `ensure` does, on any machine. Two at once would each find a trunk missing and
 * each create it: livekit-server has no key under which a second creation fails.
 *
 * @param waitMs how long to wait for a run that is under way
 * @throws {OperatorError} where it does not end in that time
 */
export async function withEnsureLease<T>(
  redis: Redis,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const token = randomUUID();
  const deadline = Date.now() + waitMs;
  while ((await redis.set(KEY, token, 'PX', LEASE_MS, 'NX')) === null) {
    if (Date.now() >= deadline) {
      throw new OperatorError('Another run of ensure is under way and does not end.', {
        remedy: 'wait for it, or look at the log of the trunk monitor, and try again',
      });
    }
    await delay(100);
  }
  const renewal = setInterval(() => {
    // A renewal that fails is made up for by the next; without Redis for 15 s the lease is lost to others.
    redis.eval(RENEW, 1, KEY, token, LEASE_MS).catch(() => {});
  }, LEASE_MS / 3);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await redis.eval(RELEASE, 1, KEY, token);
  }
}
