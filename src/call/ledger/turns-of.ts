import { asc, inArray } from 'drizzle-orm';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { turns, type TurnRow } from './schema.ts';

/** What was said in calls, in order, by their ids; within the transaction of `rows`. */
export async function turnsOf(
  rows: WorkspaceRows,
  callIds: readonly string[],
): Promise<Map<string, TurnRow[]>> {
  if (callIds.length === 0) return new Map();
  const found = await rows.select(turns, {
    where: inArray(turns.callId, [...callIds]),
    orderBy: [asc(turns.callId), asc(turns.at), asc(turns.sequence)],
  });
  return Map.groupBy(found, ({ callId }) => callId);
}
