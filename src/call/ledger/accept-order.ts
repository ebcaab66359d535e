import { ulid } from 'ulid';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { newCallId, publicCallId, type CallId } from '../call-id.ts';
import type { CallOrder } from '../order.ts';
import {
  answerIn,
  renameInKey,
  takeKeys,
  usedKeys,
  type Answer,
  type Idempotency,
} from './answered-before.ts';
import { requestOf } from './queued-order.ts';
import { callEvents, calls, type CallRow } from './schema.ts';

/** An order that may be written down. */
export type NewOrder = {
  order: Omit<CallOrder, 'callId' | 'publicId'>;
  /** Who is told of the call's end, beside the endpoints of the workspace. */
  callbackUrl?: string | undefined;
  simulated: boolean;
  /** What the routing would choose now; the dispatcher decides when it dials. */
  expected: { trunk: string; from: string | undefined };
  /** What the answer says to people. */
  message: string;
};

export type KeyedOrder = NewOrder & { idempotency: Idempotency | undefined };

export type Acceptance =
  | { kind: 'accepted'; answer: Answer; order: CallOrder }
  /** The same request was accepted before. */
  | { kind: 'replayed'; answer: Answer }
  /** The key was used with another body. */
  | { kind: 'key_taken' };

/** A call that was written down just now, and the first entry of its timeline (`call.queued`). */
export type AcceptedCall = { call: CallRow; eventId: string; at: Date };

/**
 * What else must be written where accepted calls are, in the same transaction: both are there, or neither.
 * Called with what is new, never with none.
 */
export type AlongsideAccept = (
  rows: WorkspaceRows,
  accepted: readonly AcceptedCall[],
) => Promise<void>;

/** A key that another request had taken was gone when its answer was read. */
export class KeyVanishedError extends Error {}

/** Rows of one statement: an embedded Postgres does nothing else meanwhile, nor does its process. */
const CHUNK = 100;

/**
 * Writes orders down within the transaction of `rows`: each with its key, its call and the first entry of its
 * timeline. Of several with one key the first is accepted, and the others are answered as it was.
 */
export async function acceptOrders(
  rows: WorkspaceRows,
  requests: readonly KeyedOrder[],
  alongside: AlongsideAccept,
): Promise<Acceptance[]> {
  const drafts = requests.map((request) => ({
    ...draftOf(request),
    idempotency: request.idempotency,
  }));
  const first = new Map<string, (typeof drafts)[number]>();
  for (const draft of drafts) {
    const key = draft.idempotency?.key;
    if (key !== undefined && !first.has(key)) first.set(key, draft);
  }
  const free = await takeKeys(
    rows,
    [...first.values()].flatMap(({ idempotency, callId, publicId, message }) =>
      idempotency ? [{ ...idempotency, callId, publicId, message, batch: null }] : [],
    ),
  );
  const used = await usedKeys(
    rows,
    [...first.keys()].filter((key) => !free.has(key)),
  );
  const fresh = drafts.filter(
    ({ idempotency, callId }) =>
      !idempotency || (free.has(idempotency.key) && first.get(idempotency.key)?.callId === callId),
  );
  const written = await writeCalls(rows, fresh, alongside);
  for (const { idempotency, callId, publicId } of fresh) {
    const name = written.get(callId)?.publicId ?? publicId;
    if (idempotency && name !== publicId) await renameInKey(rows, idempotency.key, name);
  }

  const accepted = (draft: Draft): Answer => {
    const order = written.get(draft.callId);
    if (!order) throw new Error('an accepted order was not written');
    return { callId: order.callId, publicId: order.publicId, message: draft.message };
  };
  return drafts.map((draft): Acceptance => {
    const order = written.get(draft.callId);
    if (order) return { kind: 'accepted', answer: accepted(draft), order };
    const { key = '', bodyHash = '' } = draft.idempotency ?? {};
    const winner = free.has(key) ? first.get(key) : undefined;
    if (winner) {
      return winner.idempotency?.bodyHash === bodyHash
        ? { kind: 'replayed', answer: accepted(winner) }
        : { kind: 'key_taken' };
    }
    const row = used.get(key);
    if (!row) throw new KeyVanishedError('an idempotency key vanished while it was read');
    const answer = answerIn(row, bodyHash);
    return answer ? { kind: 'replayed', answer } : { kind: 'key_taken' };
  });
}

export type Draft = NewOrder & {
  callId: CallId;
  eventId: string;
  at: Date;
  /** The name that the call gets unless another one has it. */
  publicId: string;
};

export function draftOf(request: NewOrder): Draft {
  const { acceptedAt, to } = request.order;
  const at = new Date(acceptedAt);
  return {
    ...request,
    callId: newCallId(acceptedAt),
    eventId: `evt_${ulid(acceptedAt).toLowerCase()}`,
    at,
    publicId: publicCallId(to, at),
  };
}

/** Writes the calls and the first entries of their timelines. Returns the orders, by their calls' ids. */
export async function writeCalls(
  rows: WorkspaceRows,
  drafts: readonly Draft[],
  alongside: AlongsideAccept,
): Promise<Map<CallId, CallOrder>> {
  const written = await insertNamed(rows, drafts);
  const accepted = drafts.flatMap(({ callId, eventId, at }) => {
    const call = written.get(callId);
    return call ? [{ call: call.row, eventId, at }] : [];
  });
  if (accepted.length === 0) return new Map();
  for (const part of chunks(accepted)) {
    await rows.insert(
      callEvents,
      part.map(({ call, eventId, at }) => ({
        id: eventId,
        callId: call.id,
        type: 'call.queued',
        at,
        data: {},
      })),
    );
  }
  await alongside(rows, accepted);
  return new Map([...written].map(([callId, { order }]) => [callId, order]));
}

/**
 * Two calls to one number within a second would have one public id; the end of the opaque id tells them apart.
 */
async function insertNamed(
  rows: WorkspaceRows,
  drafts: readonly Draft[],
): Promise<Map<CallId, { order: CallOrder; row: CallRow }>> {
  const written = new Map<CallId, { order: CallOrder; row: CallRow }>();
  const names = [
    ({ publicId }: Draft) => publicId,
    ({ publicId, callId }: Draft) => `${publicId}-${callId.slice(-6)}`,
    ({ publicId, callId }: Draft) => `${publicId}-${callId.slice('call_'.length)}`,
  ];
  for (const nameOf of names) {
    const here = new Set<string>();
    const orders: { order: CallOrder; draft: Draft }[] = [];
    for (const draft of drafts) {
      const publicId = nameOf(draft);
      if (written.has(draft.callId) || here.has(publicId)) continue;
      here.add(publicId);
      orders.push({ order: { ...draft.order, callId: draft.callId, publicId }, draft });
    }
    // In the order of the names, so that two who want the same ones never wait for each other in a ring.
    orders.sort((a, b) => (a.order.publicId < b.order.publicId ? -1 : 1));
    for (const part of chunks(orders)) {
      const inserted = await rows.insert(calls, part.map(callRow));
      const byId = new Map(inserted.map((row) => [row.id, row]));
      for (const { order } of part) {
        const row = byId.get(order.callId);
        if (row) written.set(order.callId, { order, row });
      }
    }
    if (written.size === drafts.length) return written;
  }
  throw new Error('no public id is free for a call');
}

function callRow({ order, draft }: { order: CallOrder; draft: Draft }) {
  return {
    id: order.callId,
    publicId: order.publicId,
    direction: 'outbound' as const,
    status: 'queued' as const,
    from: draft.expected.from ?? null,
    to: order.to,
    trunk: draft.expected.trunk,
    personality: order.personality,
    simulated: draft.simulated,
    variables: order.variables,
    metadata: order.metadata,
    request: requestOf(order, draft.callbackUrl),
    startedAt: draft.at,
  };
}

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += CHUNK) yield items.slice(start, start + CHUNK);
}
