import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { moment, workspace } from '../../platform/columns.ts';
import type { CallEventOf, CallUsage } from '../call-event.ts';
import type { HangupParty, Outcome } from '../outcome.ts';
import type { CallDirection, CallStatus } from './call-state.ts';

/**
 * The ledger's tables. Import them nowhere but in this folder: `WorkspaceRows` is the one way to their rows,
 * and adds the workspace to every query.
 */

/** What an outbound call was ordered with, beyond the columns of its own. */
export type CallRequest = {
  callerName?: string;
  prompt?: string;
  greeting?: string;
  trunk?: string;
  from?: string;
  notBefore?: number;
  priority?: number;
  callbackUrl?: string;
  maxDurationMs?: number;
};

/** A recording of a call: where it lies, and how large it is. */
export type Recording = {
  /** Path below the folder of recordings. */
  file: string;
  durationMs: number;
  bytes: number;
};

export const calls = pgTable(
  'calls',
  {
    workspace: workspace(),
    /** The opaque id, `call_…`. */
    id: text('id').notNull(),
    /** The `call_id` of `POST /api/outbound-call`. Holds the number. */
    publicId: text('public_id'),
    direction: text('direction').$type<CallDirection>().notNull(),
    status: text('status').$type<CallStatus>().notNull(),
    outcome: text('outcome').$type<Outcome>(),
    reason: text('reason'),
    hungUpBy: text('hung_up_by').$type<HangupParty>(),
    sipStatus: integer('sip_status'),
    sipCallId: text('sip_call_id'),
    from: text('from_number'),
    to: text('to_number'),
    trunk: text('trunk'),
    personality: text('personality'),
    simulated: boolean('simulated').notNull().default(false),
    variables: jsonb('variables').$type<Record<string, string | number | boolean>>(),
    metadata: jsonb('metadata').$type<Record<string, unknown>>(),
    /** Outbound calls only. */
    request: jsonb('request').$type<CallRequest>(),
    turns: integer('turns').notNull().default(0),
    /** What was used of each vendor's model, as the worker counted it. */
    usage: jsonb('usage').$type<CallUsage[]>(),
    recording: jsonb('recording').$type<Recording>(),
    /** When an outbound call was accepted, or an inbound one arrived. */
    startedAt: moment('started_at').notNull(),
    dialedAt: moment('dialed_at'),
    ringingAt: moment('ringing_at'),
    answeredAt: moment('answered_at'),
    endedAt: moment('ended_at'),
    /** When its file was written into the folder of conversations, where the operator wants one. */
    filedAt: moment('filed_at'),
    /** When its personal data was removed. */
    erasedAt: moment('erased_at'),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.id] }),
    uniqueIndex('calls_public_id').on(table.workspace, table.publicId),
    index('calls_sip_call_id').on(table.workspace, table.sipCallId),
    index('calls_from').on(table.workspace, table.from, table.id),
    index('calls_to').on(table.workspace, table.to, table.id),
    index('calls_personality').on(table.workspace, table.personality, table.id),
    index('calls_started').on(table.workspace, table.startedAt),
    index('calls_ended').on(table.workspace, table.endedAt),
    index('calls_metadata').using('gin', sql`${table.metadata} jsonb_path_ops`),
    index('calls_erased_recordings')
      .on(table.workspace, table.id)
      .where(sql`${table.erasedAt} is not null and ${table.recording} is not null`),
    index('calls_open')
      .on(table.workspace, table.status, table.id)
      .where(sql`${table.status} <> 'ended'`),
  ],
);

/** Every change of every call, once. Numbers and what was said stand in `calls` and `turns` only. */
export const callEvents = pgTable(
  'call_events',
  {
    workspace: workspace(),
    /** The event's own id, `evt_…`. */
    id: text('id').notNull(),
    callId: text('call_id').notNull(),
    type: text('type').notNull(),
    at: moment('at').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.id] }),
    index('call_events_call').on(table.workspace, table.callId, table.at),
  ],
);

export const turns = pgTable(
  'turns',
  {
    workspace: workspace(),
    /** The id of the event that brought it. */
    id: text('id').notNull(),
    callId: text('call_id').notNull(),
    role: text('role').$type<CallEventOf<'turn'>['data']['role']>().notNull(),
    text: text('text').notNull(),
    interrupted: boolean('interrupted').notNull(),
    /** Tells the order of turns of one millisecond. */
    sequence: bigint('sequence', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    latency: jsonb('latency').$type<CallEventOf<'turn'>['data']['latency']>(),
    at: moment('at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.id] }),
    index('turns_call').on(table.workspace, table.callId, table.at),
  ],
);

/** What was answered for one order of a batch: its call, or why it was refused. Holds no number. */
export type BatchItem = { callId: string; message: string } | { problem: Record<string, unknown> };

/** What was answered to a request with an `Idempotency-Key`, for 24 h. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    workspace: workspace(),
    key: text('key').notNull(),
    /** SHA-256 of the request's body, its keys sorted. */
    bodyHash: text('body_hash').notNull(),
    /** Of one call; null where the request was a batch. */
    callId: text('call_id'),
    publicId: text('public_id'),
    /** What the answer said to people. */
    message: text('message'),
    /** Of a batch: its orders, in their order. */
    batch: jsonb('batch').$type<BatchItem[]>(),
    createdAt: moment('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.key] }),
    index('idempotency_keys_age').on(table.workspace, table.createdAt),
  ],
);

export type CallRow = typeof calls.$inferSelect;
export type TurnRow = typeof turns.$inferSelect;
export type CallEventRow = typeof callEvents.$inferSelect;
