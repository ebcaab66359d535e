import { and, asc, eq, isNotNull, isNull, sql, type SQL } from 'drizzle-orm';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { calls } from './schema.ts';

const scheduledFor = sql`(${calls.request}->>'notBefore')::bigint`;

/**
 * Since when, in ms since the epoch, the longest waiting outbound call could have been dialled; undefined: none
 * waits. Those that are scheduled for later do not count.
 */
export async function oldestDue(rows: WorkspaceRows, now: number): Promise<number | undefined> {
  const first = async (which: SQL, order: SQL) => {
    const [call] = await rows.select(calls, {
      where: and(eq(calls.status, 'queued'), isNotNull(calls.request), which),
      orderBy: [order],
      limit: 1,
    });
    return call ? [Math.max(call.startedAt.getTime(), call.request?.notBefore ?? 0)] : [];
  };
  const dues = [
    // Ids are in the order of time, and there is an index of them: the first is found without looking at all.
    ...(await first(isNull(scheduledFor), asc(calls.id))),
    ...(await first(sql`${scheduledFor} <= ${now}`, asc(scheduledFor))),
  ];
  return dues.length === 0 ? undefined : Math.min(...dues);
}
