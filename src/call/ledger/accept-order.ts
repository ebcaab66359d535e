import { eq, lt } from 'drizzle-orm';
import { ulid } from 'ulid';
import { newCallId, publicCallId, type CallId } from '../call-id.ts';
import type { CallOrder } from '../order.ts';
import { requestOf } from './queued-order.ts';
import { callEvents, calls, idempotencyKeys } from './schema.ts';
import type { WorkspaceRows } from './workspace-rows.ts';

/** How long an `Idempotency-Key` is remembered. */
const KEY_LIFETIME_MS = 86_400_000;

export type NewOrder = {
  order: Omit<CallOrder, 'callId' | 'publicId'>;
  simulated: boolean;
  /** What the routing would choose now; the dispatcher decides when it dials. */
  expected: { trunk: string; from: string | undefined };
  /** What the answer says to people. */
  message: string;
  idempotency: { key: string; bodyHash: string } | undefined;
};

export type Answer = { callId: CallId; publicId: string; message: string };

export type Acceptance =
  | { kind: 'accepted'; answer: Answer; order: CallOrder }
  /** The same request was accepted before. */
  | { kind: 'replayed'; answer: Answer }
  /** The key was used with another body. */
  | { kind: 'key_taken' };

/**
 * Writes an order down: its key, its call and the first entry of its timeline, all or none. Of requests that
 * race with one key, the first to insert it wins; the others wait for its transaction and find its answer.
 */
export async function acceptOrder(rows: WorkspaceRows, request: NewOrder): Promise<Acceptance> {
  const at = new Date(request.order.acceptedAt);
  const callId = newCallId(request.order.acceptedAt);
  const base = publicCallId(request.order.to, at);
  const { idempotency, message } = request;

  if (idempotency) {
    const expired = new Date(Date.now() - KEY_LIFETIME_MS);
    // All of them, not only this one: each holds the number of a person who was called.
    await rows.delete(idempotencyKeys, lt(idempotencyKeys.createdAt, expired));
    const inserted = await rows.insert(idempotencyKeys, [
      { ...idempotency, callId, publicId: base, message, createdAt: new Date() },
    ]);
    if (inserted.length === 0) {
      const earlier = await replayed(rows, idempotency.key, idempotency.bodyHash);
      if (!earlier) throw new Error('an idempotency key vanished while it was read');
      return earlier;
    }
  }

  // Two calls to one number within a second would have one public id; the end of the opaque id tells them
  // apart.
  const names = [base, `${base}-${callId.slice(-6)}`, `${base}-${callId.slice('call_'.length)}`];
  for (const publicId of names) {
    const order: CallOrder = { ...request.order, callId, publicId };
    const [row] = await rows.insert(calls, [
      {
        id: callId,
        publicId,
        direction: 'outbound',
        status: 'queued',
        from: request.expected.from ?? null,
        to: order.to,
        trunk: request.expected.trunk,
        personality: order.personality,
        simulated: request.simulated,
        variables: order.variables,
        metadata: order.metadata,
        request: requestOf(order),
        startedAt: at,
      },
    ]);
    if (!row) continue;
    if (idempotency && publicId !== base) {
      await rows.update(idempotencyKeys, { publicId }, eq(idempotencyKeys.key, idempotency.key));
    }
    const eventId = `evt_${ulid(request.order.acceptedAt).toLowerCase()}`;
    await rows.insert(callEvents, [{ id: eventId, callId, type: 'call.queued', at, data: {} }]);
    return { kind: 'accepted', answer: { callId, publicId, message }, order };
  }
  throw new Error('no public id is free for the call');
}

/** What was answered to this key before, if it was within its lifetime. */
export async function replayed(
  rows: WorkspaceRows,
  key: string,
  bodyHash: string,
): Promise<Acceptance | undefined> {
  const [found] = await rows.select(idempotencyKeys, { where: eq(idempotencyKeys.key, key) });
  if (!found || found.createdAt.getTime() < Date.now() - KEY_LIFETIME_MS) return undefined;
  if (found.bodyHash !== bodyHash) return { kind: 'key_taken' };
  const { callId, publicId, message } = found;
  return { kind: 'replayed', answer: { callId: callId as CallId, publicId, message } };
}
