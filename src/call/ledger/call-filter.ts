import { and, eq, gt, gte, inArray, lt, lte, or, sql, type SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { encodeTime } from 'ulid';
import type { CallId } from '../call-id.ts';
import type { Outcome } from '../outcome.ts';
import type { CallDirection, CallStatus } from './call-state.ts';
import { calls } from './schema.ts';

/** Which calls are meant. All that is given must hold. */
export type CallFilter = {
  direction?: CallDirection | undefined;
  /** One of these. */
  status?: readonly CallStatus[] | undefined;
  /** One of these. */
  outcome?: readonly Outcome[] | undefined;
  personality?: string | undefined;
  trunk?: string | undefined;
  sipCallId?: string | undefined;
  simulated?: boolean | undefined;
  /** On either side. */
  number?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** Accepted, or arrived, then or later. */
  since?: Date | undefined;
  /** Accepted, or arrived, before. */
  until?: Date | undefined;
  /** Fields of the metadata, by their names, as they are written in an address. */
  metadata?: Readonly<Record<string, string>> | undefined;
};

/**
 * A part of the list of calls, which stands in the order of their ids. An id never changes its place, so what is
 * written meanwhile shifts no page. A call whose id was made before another's may be written after it, though,
 * by milliseconds or as much as two machines' clocks differ: who reads forward, up to now, may pass it by.
 */
export type CallPage = {
  /** By default the newest first. */
  order?: 'asc' | 'desc' | undefined;
  /** Only calls older than the one with this id. */
  before?: CallId | undefined;
  /** Only calls newer than the one with this id. */
  after?: CallId | undefined;
  limit: number;
};

/**
 * An id begins with the time at which it was made, and its call begins with it or soon after: both times are
 * of one machine's clock. So a period is also a range of ids, which the primary key finds.
 */
const ID_SLACK_MS = 86_400_000;

export function conditionOf(filter: CallFilter): SQL | undefined {
  const { number, since, until, metadata } = filter;
  return and(
    filter.direction && eq(calls.direction, filter.direction),
    filter.status && inArray(calls.status, [...filter.status]),
    filter.outcome && inArray(calls.outcome, [...filter.outcome]),
    is(calls.personality, filter.personality),
    is(calls.trunk, filter.trunk),
    is(calls.sipCallId, filter.sipCallId),
    is(calls.simulated, filter.simulated),
    is(calls.from, filter.from),
    is(calls.to, filter.to),
    number === undefined ? undefined : or(eq(calls.from, number), eq(calls.to, number)),
    since && and(gte(calls.startedAt, since), gte(calls.id, idAt(since.getTime() - ID_SLACK_MS))),
    until && and(lt(calls.startedAt, until), lte(calls.id, idAt(until.getTime() + ID_SLACK_MS))),
    ...Object.entries(metadata ?? {}).map(([name, text]) => metadataIs(name, text)),
  );
}

export function placeOf({ before, after }: CallPage): SQL | undefined {
  return and(before && lt(calls.id, before), after && gt(calls.id, after));
}

function is(column: PgColumn, value: string | boolean | undefined): SQL | undefined {
  return value === undefined ? undefined : eq(column, value);
}

/** The least id of a time. */
function idAt(ms: number): string {
  return `call_${encodeTime(Math.max(0, ms)).toLowerCase()}`;
}

/** An address knows only texts: `4711` means the number as well, and `true` the truth value. */
function metadataIs(name: string, text: string): SQL | undefined {
  const values: unknown[] = [text];
  const parsed = parsedScalar(text);
  if (parsed !== undefined) values.push(parsed);
  return or(
    ...values.map((value) => sql`${calls.metadata} @> ${JSON.stringify({ [name]: value })}::jsonb`),
  );
}

function parsedScalar(text: string): number | boolean | null | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value === 'boolean') return value;
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
