import { and, asc, eq, gt, inArray, isNotNull, lt, lte, sql, type SQL } from 'drizzle-orm';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import type { AttemptResult } from './attempt.ts';
import { CALLBACK } from './outgoing-event.ts';
import { webhookDeliveries, type DeliveryRow } from './schema.ts';

/**
 * Deliveries that wait for one receiver, and keep each other from nobody else: those of an endpoint, or of the
 * callbacks to one host.
 */
export type Lane = { receiver: string; host: string };

const hostOf = sql<string>`coalesce(split_part(${webhookDeliveries.url}, '/', 3), '')`;
const laneOf = sql<string>`${webhookDeliveries.receiver} || ' ' || ${hostOf}`;

export function laneKey({ receiver, host }: Lane): string {
  return `${receiver} ${host}`;
}

/** The lanes of these receivers that have something due. */
export async function dueLanes(
  rows: WorkspaceRows,
  receivers: readonly string[],
  now: Date,
): Promise<Lane[]> {
  const lanes = await rows.countBy(
    webhookDeliveries,
    laneOf,
    all(
      isPending,
      lte(webhookDeliveries.dueAt, now),
      inArray(webhookDeliveries.receiver, [...receivers]),
    ),
  );
  return lanes.map(({ value }) => {
    const [receiver = '', host = ''] = String(value).split(' ');
    return { receiver, host };
  });
}

/** Half of the day for which a delivery is tried. */
const MUCH_LATER_MS = 12 * 3_600_000;

const isPending = eq(webhookDeliveries.state, 'pending');

/**
 * No delivery of the same call to the same receiver waits before it. An aggregate, and the
 * state as an expression, so that no plan goes through all that is pending for each row: the index by call answers it.
 */
const isFirst = sql`coalesce((
  select min(earlier.sequence) from ${webhookDeliveries} as earlier
  where earlier.workspace = ${webhookDeliveries.workspace}
    and earlier.receiver = ${webhookDeliveries.receiver}
    and earlier.call_id = ${webhookDeliveries.callId}
    and earlier.state || '' = 'pending'), ${webhookDeliveries.sequence}) = ${webhookDeliveries.sequence}`;

/**
 * Takes deliveries of a lane that are due, the first of each call only. Nobody else takes them before `leaseMs` are
 * over; then whoever took them is given up for lost.
 */
export async function claim(
  rows: WorkspaceRows,
  lane: Lane,
  options: { now: Date; leaseMs: number; limit: number },
): Promise<DeliveryRow[]> {
  const { now, leaseMs, limit } = options;
  return rows.transaction(async (within) => {
    const found = await within.select(webhookDeliveries, {
      where: and(
        isPending,
        lte(webhookDeliveries.dueAt, now),
        eq(webhookDeliveries.receiver, lane.receiver),
        lane.receiver === CALLBACK ? eq(hostOf, lane.host) : undefined,
        isNotNull(webhookDeliveries.payload),
        isFirst,
      ),
      // By nothing else: the index gives them in this order, and whatever else waits is not looked at.
      orderBy: [asc(webhookDeliveries.dueAt)],
      limit,
      forUpdate: 'skipLocked',
    });
    const claimed = found
      .toSorted((one, other) => one.sequence - other.sequence)
      .map((row) => ({ ...row, attempts: row.attempts + 1 }));
    for (const [attempts, group] of Map.groupBy(claimed, (row) => row.attempts)) {
      await within.update(
        webhookDeliveries,
        { attempts, dueAt: new Date(now.getTime() + leaseMs) },
        inArray(
          webhookDeliveries.id,
          group.map(({ id }) => id),
        ),
      );
    }
    return claimed;
  });
}

/** The row as it was claimed; whoever claims it after the lease has counted one attempt more. */
function held(row: DeliveryRow): SQL {
  return all(
    eq(webhookDeliveries.id, row.id),
    isPending,
    eq(webhookDeliveries.attempts, row.attempts),
  );
}

/** Those of the same call that wait behind a delivery. */
function behind(row: DeliveryRow): SQL | undefined {
  if (row.callId === null) return undefined;
  return all(
    isPending,
    eq(webhookDeliveries.receiver, row.receiver),
    eq(webhookDeliveries.callId, row.callId),
    gt(webhookDeliveries.sequence, row.sequence),
  );
}

export async function noteDelivered(
  rows: WorkspaceRows,
  row: DeliveryRow,
  status: number,
): Promise<void> {
  const change = { state: 'delivered' as const, deliveredAt: new Date(), lastStatus: status };
  await rows.update(webhookDeliveries, { ...change, lastError: null }, held(row));
}

/** It is tried again at `dueAt`; those behind it need not be looked at before. */
export async function noteFailed(
  rows: WorkspaceRows,
  row: DeliveryRow,
  failure: Failure,
  dueAt: Date,
): Promise<void> {
  await rows.transaction(async (within) => {
    const where = held(row);
    if ((await within.updateCounting(webhookDeliveries, { dueAt, ...noted(failure) }, where)) === 0)
      return;
    const followers = behind(row);
    if (!followers) return;
    await within.update(
      webhookDeliveries,
      { dueAt },
      all(followers, lt(webhookDeliveries.dueAt, dueAt)),
    );
  });
}

/**
 * It is given up. Those behind it have waited for as long: each gets the one attempt that is left. What was written
 * much later, as of a call that was scheduled for the next day, has its own day.
 *
 * @param attempts after how many failed attempts only one is left
 */
export async function noteDead(
  rows: WorkspaceRows,
  row: DeliveryRow,
  failure: Failure,
  attempts: number,
): Promise<void> {
  await rows.transaction(async (within) => {
    const change = { state: 'dead' as const, ...noted(failure) };
    if ((await within.updateCounting(webhookDeliveries, change, held(row))) === 0) return;
    const followers = behind(row);
    if (!followers) return;
    const asOld = lt(
      webhookDeliveries.createdAt,
      new Date(row.createdAt.getTime() + MUCH_LATER_MS),
    );
    await within.update(webhookDeliveries, { attempts, dueAt: new Date() }, all(followers, asOld));
  });
}

/** It was not seen whether it arrived: it is due again, and this attempt does not count. */
export async function giveBack(rows: WorkspaceRows, row: DeliveryRow): Promise<void> {
  const change = { dueAt: new Date(), attempts: row.attempts - 1 };
  await rows.update(webhookDeliveries, change, held(row));
}

/** Gives up all that waits for a receiver. */
export async function abandon(
  rows: WorkspaceRows,
  receiver: string,
  reason: string,
): Promise<void> {
  await rows.update(
    webhookDeliveries,
    { state: 'dead', lastError: reason },
    all(isPending, eq(webhookDeliveries.receiver, receiver)),
  );
}

type Failure = Extract<AttemptResult, { kind: 'failed' | 'gone' }>;

function noted({ status, reason }: Failure) {
  return { lastStatus: status ?? null, lastError: reason };
}

function all(first: SQL, ...more: SQL[]): SQL {
  return and(first, ...more) ?? first;
}
