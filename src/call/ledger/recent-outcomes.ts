import { and, eq, gt } from 'drizzle-orm';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import type { Outcome } from '../outcome.ts';
import { calls } from './schema.ts';

/** How many calls ended with each outcome after a moment, in ms since the epoch. */
export async function recentOutcomes(
  rows: WorkspaceRows,
  since: number,
): Promise<Partial<Record<Outcome, number>>> {
  const ended = and(eq(calls.status, 'ended'), gt(calls.endedAt, new Date(since)));
  const counts = await rows.countBy(calls, calls.outcome, ended ?? eq(calls.status, 'ended'));
  return Object.fromEntries(counts.map(({ value, count }) => [String(value), count]));
}
