import { z } from 'zod';
import type { CallUsage } from '../call/call-event.ts';
import { callDirections, callStatuses } from '../call/ledger/call-state.ts';
import type { CallRecord } from '../call/ledger/ledger.ts';
import type { CallRequest, CallRow } from '../call/ledger/schema.ts';
import { hangupParties, outcomes } from '../call/outcome.ts';
import { latencySchema, latencySummarySchema, summarise, viewLatency } from './latency-summary.ts';

const time = z.iso.datetime().nullable();

/** A call, as lists show it. */
export const callSchema = z.object({
  id: z.string().describe('opaque id, the key everywhere'),
  call_id: z.string().nullable().describe('public id; holds the number. null for inbound calls'),
  direction: z.enum(callDirections),
  status: z.enum(callStatuses),
  outcome: z.enum(outcomes).nullable(),
  reason: z.string().nullable().describe('how it ended, for people'),
  hung_up_by: z.enum(hangupParties).nullable(),
  sip_status: z.number().int().nullable().describe('final status of the far end, RFC 3261'),
  sip_call_id: z.string().nullable().describe("LiveKit's id of the SIP call"),
  trunk: z.string().nullable(),
  personality: z.string().nullable(),
  simulated: z.boolean().describe('its vendors were the stand-ins'),
  from: z.string().nullable(),
  to: z.string().nullable(),
  turns: z.number().int(),
  started_at: z.iso.datetime().describe('accepted, or arrived'),
  answered_at: time,
  ended_at: time,
  erased_at: time.describe('when its personal data was removed'),
});

const usageSchema = z.object({
  component: z.enum(['stt', 'llm', 'tts']),
  provider: z.string(),
  model: z.string().nullable(),
  input_tokens: z.number().int().nullable(),
  cached_tokens: z.number().int().nullable(),
  output_tokens: z.number().int().nullable(),
  characters: z.number().int().nullable(),
  audio_ms: z.number().nullable(),
});

/** What was ordered, beyond what became of it. */
const requestSchema = z.object({
  caller_name: z.string().nullable(),
  llm_prompt: z.string().nullable(),
  greeting: z.string().nullable(),
  trunk: z.string().nullable().describe('the trunk that was asked for'),
  from_number: z.string().nullable().describe('the caller id that was asked for'),
  schedule_at: z.iso.datetime().nullable(),
  priority: z.number().nullable(),
  callback_url: z.string().nullable().describe('without its query and credentials'),
  max_duration: z.number().nullable().describe('seconds'),
});

/** Everything on record about one call. */
export const callDetailSchema = callSchema.omit({ turns: true }).extend({
  dialed_at: time,
  ringing_at: time,
  durations: z
    .object({
      ring_ms: z.number().nullable().describe('from the first ringing to the answer, or the end'),
      talk_ms: z.number().nullable().describe('from the answer to the end'),
    })
    .describe('null while it lasts, and where it never began'),
  request: requestSchema.nullable().describe('null for inbound and erased calls'),
  variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  metadata: z.record(z.string(), z.unknown()),
  timeline: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      at: z.iso.datetime(),
      data: z.record(z.string(), z.unknown()),
    }),
  ),
  turns: z
    .array(
      z.object({
        role: z.enum(['caller', 'agent']).describe('`caller` is the person, on either side'),
        text: z.string().describe('empty where the call was erased'),
        interrupted: z.boolean().describe('the agent was broken off here'),
        latency: latencySchema.nullable(),
        at: z.iso.datetime().describe('when the turn was over'),
      }),
    )
    .describe('what was said, in order'),
  latencies: latencySummarySchema,
  usage: z.array(usageSchema).describe("what was used of the vendors' models"),
  cost: z
    .object({ amount: z.number(), currency: z.string() })
    .nullable()
    .describe('always null: there is no table of prices yet to reckon it from `usage`'),
  recording: z
    .object({ url: z.string(), duration_ms: z.number(), bytes: z.number().int() })
    .nullable()
    .describe('its sound, below the address of this api'),
});

export function viewCall(row: CallRow): z.infer<typeof callSchema> {
  return {
    id: row.id,
    call_id: row.publicId,
    direction: row.direction,
    status: row.status,
    outcome: row.outcome,
    reason: row.reason,
    hung_up_by: row.hungUpBy,
    sip_status: row.sipStatus,
    sip_call_id: row.sipCallId,
    trunk: row.trunk,
    personality: row.personality,
    simulated: row.simulated,
    from: row.from,
    to: row.to,
    turns: row.turns,
    started_at: row.startedAt.toISOString(),
    answered_at: row.answeredAt?.toISOString() ?? null,
    ended_at: row.endedAt?.toISOString() ?? null,
    erased_at: row.erasedAt?.toISOString() ?? null,
  };
}

export function viewCallDetail({
  call,
  turns,
  timeline,
}: CallRecord): z.infer<typeof callDetailSchema> {
  return {
    ...viewCall(call),
    dialed_at: call.dialedAt?.toISOString() ?? null,
    ringing_at: call.ringingAt?.toISOString() ?? null,
    durations: viewDurations(call),
    request: call.request && viewRequest(call.request),
    variables: call.variables ?? {},
    metadata: call.metadata ?? {},
    timeline: timeline.map(({ id, type, at, data }) => ({ id, type, at: at.toISOString(), data })),
    turns: turns.map(({ role, text, interrupted, latency, at }) => ({
      role,
      text,
      interrupted,
      latency: latency ? viewLatency(latency) : null,
      at: at.toISOString(),
    })),
    latencies: summarise(turns),
    usage: (call.usage ?? []).map(viewUsage),
    cost: null,
    recording: viewRecording(call),
  };
}

export function viewDurations(call: CallRow): { ring_ms: number | null; talk_ms: number | null } {
  return {
    ring_ms: between(call.ringingAt, call.answeredAt ?? call.endedAt),
    talk_ms: between(call.answeredAt, call.endedAt),
  };
}

function viewRequest(request: CallRequest): z.infer<typeof requestSchema> {
  const { notBefore, callbackUrl, maxDurationMs } = request;
  return {
    caller_name: request.callerName ?? null,
    llm_prompt: request.prompt ?? null,
    greeting: request.greeting ?? null,
    trunk: request.trunk ?? null,
    from_number: request.from ?? null,
    schedule_at: notBefore === undefined ? null : new Date(notBefore).toISOString(),
    priority: request.priority ?? null,
    callback_url: callbackUrl === undefined ? null : bareUrl(callbackUrl),
    max_duration: maxDurationMs === undefined ? null : maxDurationMs / 1000,
  };
}

/** A query often holds a secret: n8n's resume URL is one. */
function bareUrl(text: string): string | null {
  const url = URL.parse(text);
  return url && `${url.origin}${url.pathname}`;
}

function viewUsage(usage: CallUsage): z.infer<typeof usageSchema> {
  return {
    component: usage.component,
    provider: usage.provider,
    model: usage.model ?? null,
    input_tokens: usage.inputTokens ?? null,
    cached_tokens: usage.cachedTokens ?? null,
    output_tokens: usage.outputTokens ?? null,
    characters: usage.characters ?? null,
    audio_ms: usage.audioMs ?? null,
  };
}

function viewRecording({ id, recording, erasedAt }: CallRow) {
  // That of an erased call is named until its file is gone, and is not for anybody.
  if (recording === null || erasedAt !== null) return null;
  const { durationMs, bytes } = recording;
  return { url: `/api/calls/${id}/recording`, duration_ms: durationMs, bytes };
}

/** Machines' clocks differ: a step that seems to end before it began took no time. */
function between(from: Date | null, to: Date | null): number | null {
  return from && to && Math.max(0, to.getTime() - from.getTime());
}
