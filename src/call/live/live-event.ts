import { z } from 'zod';
import { takeOverCauses } from '../attendance.ts';
import { hangupParties, outcomes } from '../outcome.ts';

/** Of the messages' shape. Fields may be added within a version; whoever reads ignores what it does not know. */
export const LIVE_VERSION = 1;

/** What a client can ask for. */
export const liveTypes = [
  'call_started',
  'conversation_turn',
  'state',
  'call_ended',
  'trunk',
  'fleet',
] as const;
type LiveType = (typeof liveTypes)[number];

export const liveStatuses = ['dialing', 'ringing', 'in_progress'] as const;
export const agentStates = ['initializing', 'idle', 'listening', 'thinking', 'speaking'] as const;
export const callerStates = ['speaking', 'listening', 'away'] as const;

const at = z.iso.datetime().describe('when it happened');
const call = z.string().describe('opaque id of the call');
const nullableText = z.string().nullable();
const ms = z.number().nonnegative();

const about = {
  direction: z.enum(['inbound', 'outbound']),
  status: z.enum(liveStatuses),
  trunk: nullableText,
  from: nullableText,
  to: nullableText,
  personality: nullableText,
  call_id: nullableText.describe('public id; holds the number. null for inbound calls'),
};

const processSchema = z.object({
  id: z.string(),
  calls: z.number().describe('calls that it has now'),
  capacity: z.number().nullable().describe('calls that it takes at most, where it has a limit'),
});
export type LiveProcess = z.infer<typeof processSchema>;

export const trunkBodySchema = z
  .object({
    type: z.literal('trunk'),
    at,
    trunk: z.string(),
    state: z.enum(['up', 'degraded', 'down', 'unknown', 'removed']),
    since: z.iso.datetime(),
    reason: z.string().describe('for people'),
  })
  .describe('the state of a trunk changed');

export const fleetBodySchema = z
  .object({
    type: z.literal('fleet'),
    at,
    workers: z.array(processSchema),
    dispatchers: z.array(processSchema),
  })
  .describe('the processes that work on calls, all of them, after a change');

/** What happened, as it lies in the live stream: the message of a client without what tells its place. */
export const liveBodySchema = z.discriminatedUnion('type', [
  z
    .object({ type: z.literal('call_started'), at, call, ...about })
    .describe('a call came in, or is dialled; once for each call'),
  z
    .object({
      type: z.literal('conversation_turn'),
      at,
      call,
      role: z.enum(['caller', 'agent']).describe('`caller` is the person, on either side'),
      text: z.string(),
      final: z
        .boolean()
        .describe('false: what is heard or said so far; the next of this role replaces it'),
      interrupted: z.boolean().optional().describe('the agent was broken off here'),
      latency: z
        .object({
          transcription: ms.optional(),
          end_of_turn: ms.optional(),
          llm_first_token: ms.optional(),
          tts_first_byte: ms.optional(),
          total: ms.optional(),
        })
        .optional()
        .describe('stages in ms, those that were measured'),
    })
    .describe('words of a conversation, while they are spoken and when the turn is over'),
  z
    .object({
      type: z.literal('state'),
      at,
      call,
      ...z.object(about).partial().shape,
      agent: z.enum(agentStates).optional(),
      caller: z.enum(callerStates).optional(),
      transfer: z.enum(['started', 'completed', 'failed']).optional(),
      taken_over: z
        .object({ cause: z.enum(takeOverCauses), silent_ms: ms })
        .optional()
        .describe('the agent was lost, and another goes on'),
    })
    .describe('something about a call changed: the fields that are there'),
  z
    .object({
      type: z.literal('call_ended'),
      at,
      call,
      outcome: z.enum(outcomes),
      reason: z.string().describe('for people'),
      hung_up_by: z.enum(hangupParties),
      sip_status: z.number().int().nullable(),
    })
    .describe('a call is over; once for each call, also for one that was never dialled'),
  trunkBodySchema,
  fleetBodySchema,
]);

export type LiveBody = z.infer<typeof liveBodySchema>;
export type LiveBodyOf<T extends LiveType> = Extract<LiveBody, { type: T }>;
