import { ulid } from 'ulid';
import { z } from 'zod';

const trunkStates = ['up', 'degraded', 'down'] as const;
export type TrunkEventState = (typeof trunkStates)[number];

/** The state of a trunk changed; it goes through the event stream beside the events of calls. */
export const trunkEventSchema = z.object({
  /** Unique. */
  id: z.string(),
  type: z.literal(['trunk.up', 'trunk.degraded', 'trunk.down']),
  workspace: z.string().default('default'),
  /** Milliseconds since the epoch. */
  at: z.number(),
  data: z.object({
    trunk: z.string(),
    /** Absent where nothing was known before. */
    before: z.enum([...trunkStates, 'unknown']).optional(),
    reason: z.string(),
  }),
});

export type TrunkEvent = z.infer<typeof trunkEventSchema>;

export function trunkEvent(state: TrunkEventState, data: TrunkEvent['data']): TrunkEvent {
  const at = Date.now();
  const id = `evt_${ulid(at).toLowerCase()}`;
  return { id, type: `trunk.${state}`, workspace: 'default', at, data };
}
