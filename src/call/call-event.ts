import { ulid } from 'ulid';
import { z } from 'zod';
import { takeOverCauses } from './attendance.ts';
import { hangupParties, outcomes } from './outcome.ts';

const callId = z.templateLiteral(['call_', z.string()]);
const ms = z.number().nonnegative();

const envelope = {
  /** Unique: the ledger applies each event once. */
  id: z.string(),
  call: callId,
  workspace: z.string().default('default'),
  /** Milliseconds since the epoch. */
  at: z.number(),
};

/** What a call used of one model. A vendor bills by what it names: tokens, characters, or seconds of sound. */
export const callUsageSchema = z.object({
  component: z.enum(['stt', 'llm', 'tts']),
  provider: z.string(),
  model: z.string().optional(),
  inputTokens: z.number().int().nonnegative().optional(),
  /** Those of the input tokens that the vendor had in its cache. */
  cachedTokens: z.number().int().nonnegative().optional(),
  outputTokens: z.number().int().nonnegative().optional(),
  characters: z.number().int().nonnegative().optional(),
  /** Sound heard or spoken, in ms. */
  audioMs: ms.optional(),
});
export type CallUsage = z.infer<typeof callUsageSchema>;

export const answeredEventSchema = z.object({
  ...envelope,
  type: z.literal('call.answered'),
  data: z.object({
    personality: z.string(),
    simulated: z.boolean(),
    sipCallId: z.string().optional(),
  }),
});

/** A finished turn of either side. */
export const turnEventSchema = z.object({
  ...envelope,
  type: z.literal('turn'),
  data: z.object({
    role: z.enum(['caller', 'agent']),
    text: z.string(),
    /** The agent was broken off here; `text` is what had been said. */
    interrupted: z.boolean().default(false),
    /** Stages in ms, where the framework measured them. */
    latency: z
      .object({
        transcription: ms.optional(),
        endOfTurn: ms.optional(),
        llmFirstToken: ms.optional(),
        ttsFirstByte: ms.optional(),
        total: ms.optional(),
        /** Moments, ms since the epoch: it was decided that the caller had finished, */
        decidedAt: ms.optional(),
        /** the agent's first sound left for the room, and it fell silent where it was broken off. */
        spokeAt: ms.optional(),
        silentAt: ms.optional(),
      })
      .optional(),
  }),
});

/** Every change in a call's life, as it goes through the event stream to the ledger. */
export const callEventSchema = z.discriminatedUnion('type', [
  /** An inbound call arrived at a worker; it creates the call in the ledger. */
  z.object({
    ...envelope,
    type: z.literal('call.received'),
    data: z.object({
      from: z.string(),
      to: z.string(),
      trunk: z.string(),
      personality: z.string(),
      simulated: z.boolean(),
      sipCallId: z.string().optional(),
    }),
  }),
  z.object({
    ...envelope,
    type: z.literal('call.dialing'),
    data: z.object({ trunk: z.string(), from: z.string().optional(), attempt: z.number().int() }),
  }),
  z.object({
    ...envelope,
    type: z.literal('call.ringing'),
    data: z.object({ sipCallId: z.string().optional() }),
  }),
  answeredEventSchema,
  turnEventSchema,
  /** Another agent goes on with the call, whose agent was lost. */
  z.object({
    ...envelope,
    type: z.literal('call.taken_over'),
    data: z.object({
      cause: z.enum(takeOverCauses),
      /**
       * From when the loss was noticed to when the agent was heard again, or listened again where it had nothing
       * to say; 0 where the call had not been answered.
       */
      silentMs: ms,
    }),
  }),
  /** The call is being handed to another number (blind transfer, RFC 3515). The number stands nowhere. */
  z.object({
    ...envelope,
    type: z.literal('call.transfer'),
    data: z.object({
      state: z.enum(['started', 'completed', 'failed']),
      /** Who asked for it. */
      by: z.enum(['agent', 'operator']),
      reason: z.string().optional(),
      sipStatus: z.number().int().optional(),
    }),
  }),
  /** Keys were pressed on the caller's side of the line, or sent to it. The digits stand nowhere. */
  z.object({
    ...envelope,
    type: z.literal('call.dtmf'),
    data: z.object({ direction: z.enum(['sent', 'received']), count: z.number().int().positive() }),
  }),
  /** The recording is finished. */
  z.object({
    ...envelope,
    type: z.literal('call.recorded'),
    data: z.object({ file: z.string(), durationMs: ms, bytes: z.number().int().nonnegative() }),
  }),
  /** What the call used of its vendors. */
  z.object({
    ...envelope,
    type: z.literal('call.usage'),
    data: z.object({ usage: z.array(callUsageSchema) }),
  }),
  z.object({
    ...envelope,
    type: z.literal('call.ended'),
    data: z.object({
      outcome: z.enum(outcomes),
      reason: z.string(),
      hungUpBy: z.enum(hangupParties),
      sipStatus: z.number().int().optional(),
      sipCallId: z.string().optional(),
    }),
  }),
]);

export type CallEvent = z.infer<typeof callEventSchema>;
export type CallEventType = CallEvent['type'];
export type CallEventOf<T extends CallEventType> = Extract<CallEvent, { type: T }>;

/** A new event with its envelope filled in. */
export function callEvent<T extends CallEventType>(
  type: T,
  call: CallEvent['call'],
  data: CallEventOf<T>['data'],
): CallEventOf<T> {
  const at = Date.now();
  // The union cannot be narrowed by a generic type; the parameters tie `data` to `type`.
  return {
    id: `evt_${ulid(at).toLowerCase()}`,
    type,
    call,
    workspace: 'default',
    at,
    data,
  } as CallEventOf<T>;
}
