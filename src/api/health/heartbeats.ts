import { z } from 'zod';
import type { Redis } from '../../platform/redis.ts';

/** Workers and dispatchers write theirs every 2 s. */
const DEAD_AFTER_MS = 10_000;

const beatSchema = z.looseObject({
  /** Milliseconds since the epoch. */
  at: z.number(),
  calls: z.number().optional(),
  capacity: z.number().optional(),
});

type Beat = z.infer<typeof beatSchema>;

/** The heartbeats in a hash of Redis that are fresh; one that cannot be read counts as none. */
export async function freshBeats(redis: Redis, key: string, now = Date.now()): Promise<Beat[]> {
  const values = await redis.hvals(key);
  return values
    .map((value) => beatSchema.safeParse(jsonOf(value)))
    .flatMap(({ data }) => (data && data.at > now - DEAD_AFTER_MS ? [data] : []));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
