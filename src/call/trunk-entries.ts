import type { Redis } from '../platform/redis.ts';
import { trunkEventSchema, type TrunkEvent } from '../trunk/trunk-event.ts';
import { EVENT_STREAM } from './event-stream.ts';

/** Where entries of calls have `event`: by this whoever reads the stream tells the two apart. */
const FIELD = 'trunk_event';

/** Writes what happened to a trunk into the stream of events. Calls come far more often, and trim it. */
export async function publishTrunkEvent(redis: Redis, event: TrunkEvent): Promise<void> {
  await redis.xadd(EVENT_STREAM, '*', FIELD, JSON.stringify(event));
}

/**
 * The event of a trunk in a stream entry; undefined where the entry is about a call.
 * @throws ZodError where it is not one that this version knows.
 */
export function trunkEventIn(fields: readonly string[]): TrunkEvent | undefined {
  const index = fields.indexOf(FIELD);
  if (index % 2 !== 0) return undefined;
  return trunkEventSchema.parse(JSON.parse(fields[index + 1] ?? 'null'));
}
