import { z } from 'zod';
import type { CallId } from './call-id.ts';

/**
 * What an operator may ask of the agent that is on a call. It goes through Redis, which only our own processes
 * reach: neither a caller nor a participant of the room can say such a thing.
 */
const callCommandSchema = z.discriminatedUnion('kind', [
  /** End the call; `say` is spoken before. */
  z.object({ kind: z.literal('hangup'), say: z.string().optional() }),
  /** Send keys to the far end: `0-9 * # A-D`, and pauses `w` (0.5 s) and `W` (1 s). */
  z.object({ kind: z.literal('dtmf'), digits: z.string() }),
  /** Hand the call over by REFER (RFC 3515); `to` is a tel: or sip: URI. */
  z.object({ kind: z.literal('transfer'), to: z.string() }),
]);
export type CallCommand = z.infer<typeof callCommandSchema>;

/** What travels on a call's channel. The same id, however often it comes, is carried out once. */
export const commandMessageSchema = z.object({ id: z.string(), command: callCommandSchema });

const refusalCauses = ['not_answered', 'busy', 'far_end', 'call_over', 'failed'] as const;

/** What became of a command; `reason` is a sentence for people. */
export const commandAnswerSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('done') }),
  z.object({
    state: z.literal('refused'),
    cause: z.enum(refusalCauses),
    reason: z.string(),
    /** Of the far end, where it gave one. */
    sipStatus: z.number().int().optional(),
  }),
]);
export type CommandAnswer = z.infer<typeof commandAnswerSchema>;

/** Redis channel on which the agent of a call listens. */
export function commandChannel(callId: CallId): string {
  return `trunkline:commands:${callId}`;
}
