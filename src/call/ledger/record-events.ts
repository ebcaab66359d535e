import { asc, eq, inArray } from 'drizzle-orm';
import type { Database } from '../../platform/database.ts';
import { withoutValues } from '../../platform/database-failure.ts';
import type { CallEvent } from '../call-event.ts';
import { afterEvent, stateBefore, timeOf, type CallState } from './call-state.ts';
import { callEvents, calls, turns, type CallRow } from './schema.ts';
import { WorkspaceRows } from '../../platform/workspace-rows.ts';

/** An event that was applied, and the call after it. */
export type Applied = {
  event: CallEvent;
  /** The whole row, as it is after the event. */
  call: CallRow;
  /** The call ended by this event. */
  ended: boolean;
};

/**
 * What else must be written where events are, in the same transaction: both are there, or neither. Called with
 * what was new, of one workspace; not with what comes after a call was erased.
 */
export type Alongside = (rows: WorkspaceRows, applied: readonly Applied[]) => Promise<void>;

/**
 * What stands alongside the events could not be written. The events themselves are not to blame: they could be
 * written, and wait until both can.
 */
export class AlongsideFailure extends Error {
  constructor(cause: unknown) {
    super(`what is written alongside failed: ${withoutValues(cause).message}`, { cause });
  }
}

/**
 * Writes events into the ledger in one transaction, each at most once: those whose id is known already
 * change nothing. Returns those that were new.
 *
 * @throws AlongsideFailure where it was not the events that could not be written
 */
export async function recordEvents(
  db: Database,
  events: readonly CallEvent[],
  alongside: Alongside = nothing,
): Promise<Applied[]> {
  const byWorkspace = Map.groupBy(events, ({ workspace }) => workspace);
  return db.transaction(async (tx) => {
    const applied: Applied[] = [];
    for (const [workspace, group] of byWorkspace) {
      const rows = new WorkspaceRows(tx, workspace);
      const fresh = await recordGroup(rows, group);
      const told = fresh.filter(({ call }) => call.erasedAt === null);
      if (told.length > 0) {
        await alongside(rows, told).catch((thrown: unknown) => {
          throw new AlongsideFailure(thrown);
        });
      }
      applied.push(...fresh);
    }
    return applied;
  });
}

const nothing: Alongside = async () => undefined;

async function recordGroup(rows: WorkspaceRows, group: readonly CallEvent[]): Promise<Applied[]> {
  // Several apis write at once: everybody takes locks in the order of the ids, so that none waits in a ring.
  const candidates = group.toSorted((a, b) => compare(a.id, b.id));
  const inserted = await rows.insert(
    callEvents,
    candidates.map((event) => ({
      id: event.id,
      callId: event.call,
      type: event.type,
      at: timeOf(event),
      data: timelineData(event),
    })),
  );
  const unseen = new Set(inserted.map(({ id }) => id));
  const fresh = group.filter(({ id }) => unseen.delete(id));
  if (fresh.length === 0) return [];

  const states = await lockCalls(rows, fresh);
  const applied = fresh.map((event) => {
    const before = states.get(event.call);
    // `lockCalls` has made a row of every call.
    if (!before) throw new Error('a call vanished while its events were written');
    const call = rowAfter(before, event);
    states.set(event.call, call);
    return { event, call, ended: before.status !== 'ended' && call.status === 'ended' };
  });
  for (const [id, row] of states) {
    await rows.update(calls, { ...stateOf(row), filedAt: row.filedAt }, eq(calls.id, id));
  }
  const late = applied.filter(({ call }) => call.erasedAt !== null).map(({ event }) => event.id);
  if (late.length > 0) await rows.update(callEvents, { data: {} }, inArray(callEvents.id, late));
  await rows.insert(
    turns,
    applied.flatMap(({ event, call }) => (call.erasedAt === null ? turnRow(event) : [])),
  );
  return applied;
}

function rowAfter(row: CallRow, event: CallEvent): CallRow {
  if (row.erasedAt !== null) {
    // What comes late brings nothing back. Only a recording must be known, so that its file is removed.
    return event.type === 'call.recorded' ? { ...row, recording: event.data } : row;
  }
  const after = { ...row, ...afterEvent(stateOf(row), event) };
  // The conversation's file lacks what comes after the end: it is written again.
  return event.type === 'turn' ? { ...after, filedAt: null } : after;
}

/** Locks the calls of the events, after a minimal row has been made for each that is unknown. */
async function lockCalls(
  rows: WorkspaceRows,
  events: readonly CallEvent[],
): Promise<Map<string, CallRow>> {
  const first = new Map<string, CallEvent>();
  for (const event of events) if (!first.has(event.call)) first.set(event.call, event);
  const ids = [...first.keys()].toSorted(compare);
  const where = inArray(calls.id, ids);
  const query = { where, orderBy: [asc(calls.id)], forUpdate: true };
  let locked = await rows.select(calls, query);
  if (locked.length < ids.length) {
    const known = new Set(locked.map(({ id }) => id));
    const unknown = [...first].filter(([id]) => !known.has(id));
    await rows.insert(
      calls,
      unknown
        .toSorted(([a], [b]) => compare(a, b))
        .map(([id, event]) => ({ id, ...stateBefore(event) })),
    );
    locked = await rows.select(calls, query);
  }
  return new Map(locked.map((row) => [row.id, row]));
}

function stateOf(row: CallRow): CallState {
  const {
    workspace: _w,
    id: _i,
    publicId: _p,
    variables: _v,
    metadata: _m,
    request: _r,
    filedAt: _f,
    erasedAt: _e,
    ...state
  } = row;
  return state;
}

function turnRow(event: CallEvent): Omit<typeof turns.$inferInsert, 'workspace'>[] {
  if (event.type !== 'turn') return [];
  const { role, text, interrupted, latency } = event.data;
  const at = timeOf(event);
  return [
    { id: event.id, callId: event.call, role, text, interrupted, latency: latency ?? null, at },
  ];
}

/** What the timeline shows of an event: neither a number nor what was said. */
function timelineData(event: CallEvent): Record<string, unknown> {
  switch (event.type) {
    case 'call.received':
    case 'call.dialing': {
      const { from: _from, ...data } = event.data;
      return 'to' in data ? { ...data, to: undefined } : data;
    }
    case 'turn':
      return {};
    case 'call.recorded': {
      const { file: _file, ...data } = event.data;
      return data;
    }
    case 'call.transfer':
    case 'call.taken_over':
    case 'call.dtmf':
    case 'call.usage':
    case 'call.ringing':
    case 'call.answered':
    case 'call.ended':
      return event.data;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
