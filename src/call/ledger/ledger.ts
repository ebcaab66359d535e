import path from 'node:path';
import { and, asc, desc, eq, gt, gte, inArray, isNotNull, isNull, ne, type SQL } from 'drizzle-orm';
import type { Database } from '../../platform/database.ts';
import { replayedBatch, type BatchAcceptance, type NewBatch } from './accept-batch.ts';
import type { Acceptance, AlongsideAccept, KeyedOrder } from './accept-order.ts';
import { answerIn, findKey, type Idempotency } from './answered-before.ts';
import { OrderIntake } from './order-intake.ts';
import type { CallId } from '../call-id.ts';
import { conditionOf, placeOf, type CallFilter, type CallPage } from './call-filter.ts';
import type { CallStatus } from './call-state.ts';
import { eraseCall, type AlongsideErasure, type Erasure } from './erase-call.ts';
import { queuedOrdersOf, type QueuedOrders } from './queued-order.ts';
import {
  callEvents,
  calls,
  turns,
  type CallEventRow,
  type CallRow,
  type TurnRow,
} from './schema.ts';
import { WorkspaceRows } from '../../platform/workspace-rows.ts';

/** Folder of the migrations that drizzle-kit wrote. */
export const LEDGER_MIGRATIONS = path.join(import.meta.dirname, 'migrations');

export type CallRecord = { call: CallRow; turns: TurnRow[]; timeline: CallEventRow[] };

/** The record of the calls of one workspace. */
export class Ledger {
  readonly #rows: WorkspaceRows;
  readonly #intake: OrderIntake;

  /** @param options.alongsideAccept what else is written in the transaction that accepts calls */
  constructor(
    db: Database,
    workspace: string,
    options: { alongsideAccept?: AlongsideAccept } = {},
  ) {
    this.#rows = new WorkspaceRows(db, workspace);
    this.#intake = new OrderIntake(this.#rows, options.alongsideAccept ?? (async () => undefined));
  }

  /** Writes an order down, or finds what the same `Idempotency-Key` was answered before. */
  async accept(order: KeyedOrder): Promise<Acceptance> {
    return this.#intake.accept(order);
  }

  /** Writes the orders of a batch down, all of them or none, or finds what it was answered before. */
  async acceptBatch(batch: NewBatch): Promise<BatchAcceptance> {
    return this.#intake.acceptBatch(batch);
  }

  /** What a request for one call with this `Idempotency-Key` was answered in the last 24 h, if there was one. */
  async replay({ key, bodyHash }: Idempotency): Promise<Acceptance | undefined> {
    const row = await findKey(this.#rows, key);
    if (!row) return undefined;
    const answer = answerIn(row, bodyHash);
    return answer ? { kind: 'replayed', answer } : { kind: 'key_taken' };
  }

  /** The same for a batch. */
  async replayBatch(idempotency: Idempotency): Promise<BatchAcceptance | undefined> {
    return replayedBatch(this.#rows, idempotency);
  }

  /** A call by its opaque id or its public one. */
  async find(id: string): Promise<CallRecord | undefined> {
    const call = await this.stateOf(id);
    if (!call) return undefined;
    const [record] = await this.recordsOf([call]);
    return record;
  }

  /** The state alone of a call, by either id. */
  async stateOf(id: string): Promise<CallRow | undefined> {
    const [call] = await this.#rows.select(calls, { where: named(id), limit: 1 });
    return call;
  }

  /** All that is on record of these calls, in their order. */
  async recordsOf(rows: readonly CallRow[]): Promise<CallRecord[]> {
    const ids = rows.map(({ id }) => id);
    const [spoken, changes] = await Promise.all([
      this.#rows.select(turns, {
        where: inArray(turns.callId, ids),
        orderBy: [asc(turns.callId), asc(turns.at), asc(turns.sequence)],
      }),
      this.#rows.select(callEvents, {
        where: and(inArray(callEvents.callId, ids), ne(callEvents.type, 'turn')),
      }),
    ]);
    const turnsOf = Map.groupBy(spoken, ({ callId }) => callId);
    const changesOf = Map.groupBy(changes, ({ callId }) => callId);
    return rows.map((call) => ({
      call,
      turns: turnsOf.get(call.id) ?? [],
      timeline: (changesOf.get(call.id) ?? []).toSorted(byTime),
    }));
  }

  /** A part of the calls that the filter means, in the order of their ids. */
  async list(query: CallFilter & CallPage): Promise<CallRow[]> {
    return this.#rows.select(calls, {
      where: and(conditionOf(query), placeOf(query)),
      orderBy: [query.order === 'asc' ? asc(calls.id) : desc(calls.id)],
      limit: query.limit,
    });
  }

  /**
   * Removes what is known of the person in a call that has ended; doing so again changes nothing.
   *
   * @param alongside what else is written in the same transaction
   */
  async erase(id: string, alongside: AlongsideErasure): Promise<Erasure> {
    return eraseCall(this.#rows, named(id), alongside);
  }

  /** The recording of an erased call has been removed. */
  async forgetRecording(id: string): Promise<void> {
    await this.#rows.update(
      calls,
      { recording: null },
      // A call that was not erased keeps its recording, whoever asks.
      all(eq(calls.id, id), isNotNull(calls.erasedAt)),
    );
  }

  /** Erased calls whose recording has not been removed yet. */
  async erasedRecordings(): Promise<CallRow[]> {
    return this.#rows.select(calls, {
      where: and(isNotNull(calls.erasedAt), isNotNull(calls.recording)),
      limit: 100,
    });
  }

  /** Conversations that ended since and have no file of their own yet, the oldest first. */
  async unfiled(endedSince: Date, limit: number): Promise<CallRow[]> {
    return this.#rows.select(calls, {
      where: and(
        gte(calls.endedAt, endedSince),
        eq(calls.status, 'ended'),
        gt(calls.turns, 0),
        isNull(calls.filedAt),
        isNull(calls.erasedAt),
      ),
      orderBy: [asc(calls.endedAt)],
      limit,
    });
  }

  /**
   * Notes that a conversation, as it was read, has its file; where more of it has come since, it goes on to have
   * none. Says whether it has been erased meanwhile.
   */
  async noteFiled(call: CallRow, at: Date): Promise<'filed' | 'changed' | 'erased'> {
    return this.#rows.transaction(async (rows) => {
      const where = eq(calls.id, call.id);
      const [now] = await rows.select(calls, { where, forUpdate: true });
      if (!now || now.erasedAt !== null) return 'erased';
      if (now.turns !== call.turns) return 'changed';
      await rows.update(calls, { filedAt: at }, where);
      return 'filed';
    });
  }

  /** Orders that nobody has begun to dial, in the order of their ids, from after `after` on. */
  async queuedOrders(after: CallId | undefined, limit: number): Promise<QueuedOrders> {
    const rows = await this.#rows.select(calls, {
      where: and(
        eq(calls.status, 'queued'),
        isNotNull(calls.request),
        after && gt(calls.id, after),
      ),
      orderBy: [asc(calls.id)],
      limit,
    });
    return queuedOrdersOf(rows);
  }

  /** How many calls there are of each status but `ended`. */
  async countOpen(): Promise<{ status: CallStatus; count: number }[]> {
    const counts = await this.#rows.countBy(calls, calls.status, ne(calls.status, 'ended'));
    return counts.map(({ value, count }) => ({ status: value as CallStatus, count }));
  }
}

function named(id: string): SQL {
  return eq(id.startsWith('call_') ? calls.id : calls.publicId, id);
}

function all(first: SQL, second: SQL): SQL {
  return and(first, second) ?? first;
}

/** Events of one millisecond stand in the order of a call's life. */
const LIFE = [
  'call.queued',
  'call.received',
  'call.dialing',
  'call.ringing',
  'call.answered',
  'call.dtmf',
  'call.taken_over',
  'call.transfer',
  'call.ended',
  'call.recorded',
  'call.usage',
];

function byTime(a: CallEventRow, b: CallEventRow): number {
  return a.at.getTime() - b.at.getTime() || LIFE.indexOf(a.type) - LIFE.indexOf(b.type);
}
