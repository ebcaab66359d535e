import { z } from 'zod';
import { callDirections, callStatuses } from '../call/ledger/call-state.ts';
import type { CallRecord } from '../call/ledger/ledger.ts';
import type { CallRow } from '../call/ledger/schema.ts';
import { hangupParties, outcomes } from '../call/outcome.ts';

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
  sip_status: z.number().int().nullable(),
  sip_call_id: z.string().nullable(),
  trunk: z.string().nullable(),
  personality: z.string().nullable(),
  simulated: z.boolean().describe('its vendors were the stand-ins'),
  from: z.string().nullable(),
  to: z.string().nullable(),
  turns: z.number().int(),
  started_at: z.iso.datetime().describe('accepted, or arrived'),
  answered_at: time,
  ended_at: time,
});

/** Everything on record about one call. */
export const callDetailSchema = callSchema.omit({ turns: true }).extend({
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
  turns: z.array(
    z.object({
      role: z.enum(['caller', 'agent']),
      text: z.string(),
      interrupted: z.boolean(),
      latency: z
        .record(z.string(), z.number())
        .nullable()
        .describe('stages of the answer in ms, where they were measured'),
      at: z.iso.datetime(),
    }),
  ),
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
  };
}

export function viewCallDetail({
  call,
  turns,
  timeline,
}: CallRecord): z.infer<typeof callDetailSchema> {
  return {
    ...viewCall(call),
    variables: call.variables ?? {},
    metadata: call.metadata ?? {},
    timeline: timeline.map(({ id, type, at, data }) => ({ id, type, at: at.toISOString(), data })),
    turns: turns.map(({ role, text, interrupted, latency, at }) => ({
      role,
      text,
      interrupted,
      latency: latency ?? null,
      at: at.toISOString(),
    })),
  };
}
