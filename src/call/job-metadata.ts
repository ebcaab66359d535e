import { z } from 'zod';
import { takeOverCauses } from './attendance.ts';

/** The one identity of the far end's SIP participant in an outbound call's room. */
export const PHONE_IDENTITY = 'phone';

/** Attribute that an agent sets to '1' on itself once its session has started: only then is anybody dialled. */
export const READY_ATTRIBUTE = 'trunkline.ready';

/** For an agent that takes over a call whose agent was lost: `attendance.ts`, `conversation-memory.ts`. */
const takeOver = z.object({
  callId: z.templateLiteral(['call_', z.string()]),
  cause: z.enum(takeOverCauses),
  /** When the loss was noticed; milliseconds since the epoch, by the clock of Redis. */
  lostAt: z.number(),
});

/** What a worker is told when it is sent to a room (the metadata of the agent's dispatch). No numbers. */
export const jobMetadataSchema = z.discriminatedUnion('direction', [
  /** From a dispatch rule; the worker derives the call's id and reads the numbers from the participant. */
  z.object({
    direction: z.literal('inbound'),
    trunk: z.string(),
    takeOver: takeOver.optional(),
  }),
  /** From the dispatcher; the order lies in Redis, see `call-brief.ts`. */
  z.object({
    direction: z.literal('outbound'),
    callId: z.templateLiteral(['call_', z.string()]),
    trunk: z.string(),
    takeOver: takeOver.optional(),
  }),
]);

/** @see takeOver in `jobMetadataSchema` */
export type TakeOver = z.infer<typeof takeOver>;

export type JobMetadata = z.infer<typeof jobMetadataSchema>;
