import { and, eq, ne, sql } from 'drizzle-orm';
import type { Database } from '../../platform/database.ts';
import { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { calls } from './schema.ts';

const REASON =
  'The ledger was restored from a backup made before this call ended; how it went on is not known.';

/**
 * After a restore: ends the calls that were open when the backup was made. Whether one of them was dialled since
 * is not known, and nobody must be called twice. Only those that are scheduled for later than now stay queued.
 *
 * @returns how many ended, and how many stay queued
 */
export async function settleOpenCalls(
  db: Database,
  workspace: string,
  now: Date,
): Promise<{ ended: number; queued: number }> {
  const all = new WorkspaceRows(db, workspace);
  const open = ne(calls.status, 'ended');
  const uncertain = sql`not (${calls.status} = 'queued'
    and coalesce((${calls.request}->>'notBefore')::numeric, 0) > ${now.getTime()})`;
  return all.transaction(async (rows) => {
    await rows.update(
      calls,
      { status: 'ended', outcome: 'failed', reason: REASON, hungUpBy: 'system', endedAt: now },
      and(open, uncertain) ?? open,
    );
    const ended = await rows.countBy(calls, calls.reason, eq(calls.endedAt, now));
    const queued = await rows.countBy(calls, calls.status, open);
    const count = (counts: readonly { count: number }[]) =>
      counts.reduce((sum, one) => sum + one.count, 0);
    return { ended: count(ended), queued: count(queued) };
  });
}
