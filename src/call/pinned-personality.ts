import type { Personality } from '../personality/personality.ts';
import type { Redis } from '../platform/redis.ts';

/** Longer than the memory of a call that names it. */
const DAY_S = 86_400;

/**
 * Keeps a personality as it is now, by the hash of its content: a call goes on with what it began with, whoever
 * takes it over, also where the files have changed or are others. There is no key in it, only the names of the
 * variables that hold keys.
 */
export async function pinPersonality(redis: Redis, personality: Personality): Promise<void> {
  const key = pinKey(personality.hash);
  // The same hash is the same content.
  if ((await redis.expire(key, DAY_S)) === 1) return;
  await redis.set(key, JSON.stringify(personality), 'EX', DAY_S);
}

/** The personality of a hash; undefined where no call has begun with it for a day. */
export async function pinnedPersonality(
  redis: Redis,
  hash: string,
): Promise<Personality | undefined> {
  const text = await redis.get(pinKey(hash));
  return text === null ? undefined : (JSON.parse(text) as Personality);
}

function pinKey(hash: string): string {
  return `trunkline:personality:${hash}`;
}
