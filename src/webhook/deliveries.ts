import { and, desc, eq, gte, inArray, isNotNull, lt, ne, type SQL } from 'drizzle-orm';
import { recordAction, type Actor } from '../access/audit.ts';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import type { AttemptResult } from './attempt.ts';
import { newDeliveryId } from './outbox.ts';
import type { OutgoingEvent } from './outgoing-event.ts';
import type { DeliveryState } from './delivery-state.ts';
import { webhookDeliveries, type DeliveryRow } from './schema.ts';

export type DeliveryFilter = {
  state?: DeliveryState | undefined;
  /** Id of an endpoint, or `callback`. */
  receiver?: string | undefined;
  callId?: string | undefined;
  type?: string | undefined;
  /** Id of the last delivery of the page before. */
  before?: string | undefined;
  limit: number;
};

export type Period = {
  from: Date;
  /** Not included. */
  to: Date;
  /** Absent: all. */
  types?: readonly string[] | undefined;
};

/** What can be sent again: it came to an end, and its body has not been erased. */
const canBeReplayed = [
  ne(webhookDeliveries.state, 'pending'),
  isNotNull(webhookDeliveries.payload),
] as const;

/** What became of each event on its way to each receiver. */
export class Deliveries {
  readonly #rows: WorkspaceRows;

  constructor(rows: WorkspaceRows) {
    this.#rows = rows;
  }

  /** Newest first. */
  async list(filter: DeliveryFilter): Promise<DeliveryRow[]> {
    const { state, receiver, callId, type, before, limit } = filter;
    return this.#rows.select(webhookDeliveries, {
      where: and(
        state && eq(webhookDeliveries.state, state),
        receiver === undefined ? undefined : eq(webhookDeliveries.receiver, receiver),
        callId === undefined ? undefined : eq(webhookDeliveries.callId, callId),
        type === undefined ? undefined : eq(webhookDeliveries.type, type),
        before === undefined ? undefined : lt(webhookDeliveries.id, before),
      ),
      orderBy: [desc(webhookDeliveries.id)],
      limit,
    });
  }

  async find(id: string): Promise<DeliveryRow | undefined> {
    const where = eq(webhookDeliveries.id, id);
    const [row] = await this.#rows.select(webhookDeliveries, { where });
    return row;
  }

  /** Sends one again, as it was, under the same id of the event. */
  async replay(actor: Actor, id: string): Promise<'replayed' | 'not_ended' | 'erased' | 'unknown'> {
    return this.#rows.transaction(async (rows) => {
      const where = eq(webhookDeliveries.id, id);
      const [row] = await rows.select(webhookDeliveries, { where, forUpdate: true });
      if (!row) return 'unknown';
      if (row.payload === null) return 'erased';
      if (row.state === 'pending') return 'not_ended';
      await rows.update(webhookDeliveries, fresh(), where);
      await recordAction(rows, { actor, action: 'delivery.replay', subject: id });
      return 'replayed';
    });
  }

  /**
   * Sends all that went to an endpoint in a period again: each call's in the order in which they were written,
   * before what is still to come of that call.
   *
   * @returns how many
   */
  async replayPeriod(actor: Actor, endpoint: string, { from, to, types }: Period): Promise<number> {
    return this.#rows.transaction(async (rows) => {
      const replayed = await rows.updateCounting(
        webhookDeliveries,
        fresh(),
        all(
          eq(webhookDeliveries.receiver, endpoint),
          gte(webhookDeliveries.createdAt, from),
          lt(webhookDeliveries.createdAt, to),
          ...canBeReplayed,
          ...(types ? [inArray(webhookDeliveries.type, [...types])] : []),
        ),
      );
      await recordAction(rows, {
        actor,
        action: 'webhook.replay',
        subject: endpoint,
        detail: { from: from.toISOString(), to: to.toISOString(), types, replayed },
      });
      return replayed;
    });
  }

  /** Puts down a test that was sent already, so that it is found where all others are. */
  async noteTest(receiver: string, event: OutgoingEvent, result: AttemptResult): Promise<void> {
    const at = new Date();
    const ok = result.kind === 'delivered';
    await this.#rows.insert(webhookDeliveries, [
      {
        id: newDeliveryId(at),
        receiver,
        eventId: event.id,
        type: event.type,
        payload: event.payload,
        state: ok ? 'delivered' : 'dead',
        attempts: 1,
        createdAt: at,
        dueAt: at,
        deliveredAt: ok ? at : null,
        lastStatus: result.kind === 'interrupted' ? null : (result.status ?? null),
        lastError: 'reason' in result ? result.reason : null,
      },
    ]);
  }
}

function fresh() {
  return { state: 'pending' as const, attempts: 0, dueAt: new Date(), lastError: null };
}

function all(first: SQL, ...more: SQL[]): SQL {
  return and(first, ...more) ?? first;
}
