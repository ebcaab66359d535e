import { z } from 'zod';
import type { Redis } from '../platform/redis.ts';

/** Redis hash: trunk name → state, as the trunk monitor sees it. */
const TRUNKS = 'trunkline:trunks';

const trunkStateSchema = z.object({
  /** `degraded`: it answers, but calls over it fail; `down`: it does not answer. */
  state: z.enum(['up', 'degraded', 'down', 'unknown']),
  /** Milliseconds since the epoch. */
  since: z.number(),
  /** For people; holds no number. */
  reason: z.string(),
});

export type TrunkState = z.output<typeof trunkStateSchema>;

export async function writeTrunkState(
  redis: Redis,
  name: string,
  state: TrunkState,
): Promise<void> {
  await redis.hset(TRUNKS, name, JSON.stringify(state));
}

/** Forgets trunks that are configured no more. */
export async function keepTrunkStates(redis: Redis, names: ReadonlySet<string>): Promise<void> {
  const gone = (await redis.hkeys(TRUNKS)).filter((name) => !names.has(name));
  if (gone.length > 0) await redis.hdel(TRUNKS, ...gone);
}

/** What is known of each trunk; entries that another version wrote are left out. */
export async function readTrunkStates(redis: Redis): Promise<Map<string, TrunkState>> {
  const states = new Map<string, TrunkState>();
  for (const [name, text] of Object.entries(await redis.hgetall(TRUNKS))) {
    const state = trunkStateSchema.safeParse(JSON.parse(text));
    if (state.success) states.set(name, state.data);
  }
  return states;
}
