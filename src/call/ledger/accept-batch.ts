import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import type { CallOrder } from '../order.ts';
import {
  draftOf,
  KeyVanishedError,
  writeCalls,
  type AlongsideAccept,
  type Draft,
  type NewOrder,
} from './accept-order.ts';
import {
  batchAnswerIn,
  findKey,
  takeKeys,
  type BatchAnswer,
  type Idempotency,
} from './answered-before.ts';

/** Orders of one request, in its order, some of them refused already. */
export type NewBatch = {
  items: readonly (NewOrder | { problem: Record<string, unknown> })[];
  idempotency: Idempotency | undefined;
};

export type BatchAcceptance =
  | { kind: 'accepted'; answers: BatchAnswer[]; orders: CallOrder[] }
  | { kind: 'replayed'; answers: BatchAnswer[] }
  | { kind: 'key_taken' };

/** Writes the orders of a batch down within the transaction of `rows`, with what each item is answered. */
export async function acceptBatch(
  rows: WorkspaceRows,
  batch: NewBatch,
  alongside: AlongsideAccept,
): Promise<BatchAcceptance> {
  const items = batch.items.map((item) => ('problem' in item ? item : draftOf(item)));
  if (batch.idempotency) {
    const { key, bodyHash } = batch.idempotency;
    const kept = items.map((item) =>
      'problem' in item ? item : { callId: item.callId, message: item.message },
    );
    const row = { key, bodyHash, callId: null, publicId: null, message: null, batch: kept };
    const free = await takeKeys(rows, [row]);
    if (!free.has(key)) {
      const earlier = await replayedBatch(rows, batch.idempotency);
      if (!earlier) throw new KeyVanishedError('an idempotency key vanished while it was read');
      return earlier;
    }
  }
  const drafts = items.filter((item): item is Draft => !('problem' in item));
  const written = await writeCalls(rows, drafts, alongside);
  const answers = items.map((item): BatchAnswer => {
    if ('problem' in item) return item;
    const publicId = written.get(item.callId)?.publicId ?? item.publicId;
    return { callId: item.callId, publicId, message: item.message };
  });
  return { kind: 'accepted', answers, orders: [...written.values()] };
}

/** What was answered to a batch with this key before, if it was within the key's lifetime. */
export async function replayedBatch(
  rows: WorkspaceRows,
  { key, bodyHash }: Idempotency,
): Promise<BatchAcceptance | undefined> {
  const row = await findKey(rows, key);
  if (!row) return undefined;
  const answers = await batchAnswerIn(rows, row, bodyHash);
  return answers ? { kind: 'replayed', answers } : { kind: 'key_taken' };
}
