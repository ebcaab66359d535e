import path from 'node:path';
import { and, asc, desc, eq, gt, isNotNull, lt, ne, type SQL } from 'drizzle-orm';
import type { Database } from '../../platform/database.ts';
import { acceptOrder, type Acceptance, type NewOrder, replayed } from './accept-order.ts';
import type { CallId } from '../call-id.ts';
import type { CallOrder } from '../order.ts';
import type { Outcome } from '../outcome.ts';
import type { CallDirection, CallStatus } from './call-state.ts';
import { orderOf } from './queued-order.ts';
import {
  callEvents,
  calls,
  turns,
  type CallEventRow,
  type CallRow,
  type TurnRow,
} from './schema.ts';
import { WorkspaceRows } from './workspace-rows.ts';

/** Folder of the migrations that drizzle-kit wrote. */
export const LEDGER_MIGRATIONS = path.join(import.meta.dirname, 'migrations');

export type CallFilter = {
  direction?: CallDirection | undefined;
  status?: CallStatus | undefined;
  trunk?: string | undefined;
  outcome?: Outcome | undefined;
  sipCallId?: string | undefined;
  /** Only calls older than the one with this id. */
  before?: CallId | undefined;
  limit: number;
};

export type CallRecord = { call: CallRow; turns: TurnRow[]; timeline: CallEventRow[] };

/** The record of the calls of one workspace. */
export class Ledger {
  readonly #rows: WorkspaceRows;

  constructor(db: Database, workspace: string) {
    this.#rows = new WorkspaceRows(db, workspace);
  }

  /** Writes an order down, or finds what the same `Idempotency-Key` was answered before. */
  async accept(order: NewOrder): Promise<Acceptance> {
    return this.#rows.transaction(async (rows) => acceptOrder(rows, order));
  }

  /** What a request with this `Idempotency-Key` was answered, if there was one in the last 24 h. */
  async replay(key: string, bodyHash: string): Promise<Acceptance | undefined> {
    return replayed(this.#rows, key, bodyHash);
  }

  /** A call by its opaque id or its public one. */
  async find(id: string): Promise<CallRecord | undefined> {
    const column = id.startsWith('call_') ? calls.id : calls.publicId;
    const [call] = await this.#rows.select(calls, { where: eq(column, id), limit: 1 });
    if (!call) return undefined;
    const [spoken, timeline] = await Promise.all([
      this.#rows.select(turns, {
        where: eq(turns.callId, call.id),
        orderBy: [asc(turns.at), asc(turns.sequence)],
      }),
      this.#rows.select(callEvents, {
        where: and(eq(callEvents.callId, call.id), ne(callEvents.type, 'turn')),
      }),
    ]);
    return { call, turns: spoken, timeline: timeline.toSorted(byTime) };
  }

  /** Calls, the newest first. */
  async list(filter: CallFilter): Promise<CallRow[]> {
    const conditions: (SQL | undefined)[] = [
      filter.direction && eq(calls.direction, filter.direction),
      filter.status && eq(calls.status, filter.status),
      filter.trunk === undefined ? undefined : eq(calls.trunk, filter.trunk),
      filter.outcome && eq(calls.outcome, filter.outcome),
      filter.sipCallId === undefined ? undefined : eq(calls.sipCallId, filter.sipCallId),
      filter.before && lt(calls.id, filter.before),
    ];
    return this.#rows.select(calls, {
      where: and(...conditions),
      orderBy: [desc(calls.id)],
      limit: filter.limit,
    });
  }

  /** Orders that nobody has begun to dial, in the order of their ids, from after `after` on. */
  async queuedOrders(after: CallId | undefined, limit: number): Promise<CallOrder[]> {
    const rows = await this.#rows.select(calls, {
      where: and(
        eq(calls.status, 'queued'),
        isNotNull(calls.request),
        after && gt(calls.id, after),
      ),
      orderBy: [asc(calls.id)],
      limit,
    });
    return rows.map(orderOf);
  }

  /** How many calls there are of each status but `ended`. */
  async countOpen(): Promise<{ status: CallStatus; count: number }[]> {
    const counts = await this.#rows.countBy(calls, calls.status, ne(calls.status, 'ended'));
    return counts.map(({ value, count }) => ({ status: value as CallStatus, count }));
  }
}

/** Events of one millisecond stand in the order of a call's life. */
const LIFE = [
  'call.queued',
  'call.received',
  'call.dialing',
  'call.ringing',
  'call.answered',
  'call.ended',
];

function byTime(a: CallEventRow, b: CallEventRow): number {
  return a.at.getTime() - b.at.getTime() || LIFE.indexOf(a.type) - LIFE.indexOf(b.type);
}
