import type { CallId } from '../call/call-id.ts';
import { redisNow, type Redis } from '../platform/redis.ts';

const HOUR_S = 3600;
const SHORTEST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 10_000;

/** How long a call waits for an agent or for capacity of the SIP service before it is given up, in ms. */
export const SETUP_LIMIT_MS = 60_000;

/** Starts the clock of a call's attempts to be set up, where it does not run yet. */
export async function startPatience(redis: Redis, callId: CallId): Promise<void> {
  await redis.set(patienceKey(callId), await redisNow(redis), 'EX', HOUR_S, 'NX');
}

/** Counts the call's INVITEs, or rather what would have become one: 1 for the first. */
export async function countDial(redis: Redis, callId: CallId): Promise<number> {
  const key = `trunkline:dials:${callId}`;
  const count = await redis.incr(key);
  await redis.expire(key, HOUR_S);
  return count;
}

/**
 * When to try again to set a call up: after half of the time that has gone by, within 1 to 10 s. Undefined
 * when `limitMs` have gone by since the first attempt: time to give up.
 */
export async function retryDelay(
  redis: Redis,
  callId: CallId,
  limitMs: number,
): Promise<number | undefined> {
  await startPatience(redis, callId);
  const elapsed = (await redisNow(redis)) - Number(await redis.get(patienceKey(callId)));
  if (elapsed > limitMs) return undefined;
  return Math.min(Math.max(elapsed / 2, SHORTEST_RETRY_MS), LONGEST_RETRY_MS);
}

function patienceKey(callId: CallId): string {
  return `trunkline:setup:${callId}`;
}
