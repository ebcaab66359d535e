import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import { webhookDeliveries } from './schema.ts';

/** A delivery is given up a day after it was written. */
const GIVEN_UP_AFTER_MS = 24 * 3_600_000;

export type DeliveryBacklog = {
  /** Deliveries that were given up in the last day. */
  dead: number;
  /** How long the oldest delivery that is still tried has been on its way, in ms; 0 where there is none. */
  oldestMs: number;
};

/** How far deliveries are behind, for people. @param now ms since the epoch */
export async function deliveryBacklog(rows: WorkspaceRows, now: number): Promise<DeliveryBacklog> {
  const dead = eq(webhookDeliveries.state, 'dead');
  const lately = new Date(now - 2 * GIVEN_UP_AFTER_MS);
  const counts = await rows.countBy(
    webhookDeliveries,
    webhookDeliveries.state,
    and(dead, gt(webhookDeliveries.createdAt, lately)) ?? dead,
  );
  const [oldest] = await rows.select(webhookDeliveries, {
    where: eq(webhookDeliveries.state, 'pending'),
    // An expression: the index by age alone would lead through all that was delivered in a month.
    orderBy: [asc(sql`${webhookDeliveries.createdAt} + interval '0 s'`)],
    limit: 1,
  });
  return {
    dead: counts[0]?.count ?? 0,
    oldestMs: oldest ? Math.max(0, now - oldest.createdAt.getTime()) : 0,
  };
}
