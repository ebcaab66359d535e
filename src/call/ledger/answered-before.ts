import { eq, inArray, lt } from 'drizzle-orm';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import type { CallId } from '../call-id.ts';
import { ERASED_MESSAGE } from './erase-call.ts';
import { calls, idempotencyKeys, type BatchItem } from './schema.ts';

/** How long an `Idempotency-Key` is remembered. */
const KEY_LIFETIME_MS = 86_400_000;

/** The header of a request, and a hash of its body. */
export type Idempotency = { key: string; bodyHash: string };

export type Answer = { callId: CallId; publicId: string; message: string };

/** What was answered for one order of a batch: its call, or the problem for which it was refused. */
export type BatchAnswer = Answer | { problem: Record<string, unknown> };

export type KeyRow = typeof idempotencyKeys.$inferSelect;

/**
 * Takes keys for requests of now; of requests that race with one key, the first to insert it wins, and the
 * others wait for its transaction here.
 *
 * @returns the keys that were free
 */
export async function takeKeys(
  rows: WorkspaceRows,
  keys: readonly Omit<KeyRow, 'workspace' | 'createdAt'>[],
): Promise<Set<string>> {
  if (keys.length === 0) return new Set();
  // All that have expired, not only these: each holds the number of a person who was called.
  await rows.delete(idempotencyKeys, lt(idempotencyKeys.createdAt, expiry()));
  const createdAt = new Date();
  // In the order of the keys, so that two who take the same ones never wait for each other in a ring.
  const sorted = keys.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const taken = await rows.insert(
    idempotencyKeys,
    sorted.map((row) => ({ ...row, createdAt })),
  );
  return new Set(taken.map(({ key }) => key));
}

/** Those of the keys that were used within their lifetime, with what was answered. */
export async function usedKeys(
  rows: WorkspaceRows,
  keys: readonly string[],
): Promise<Map<string, KeyRow>> {
  if (keys.length === 0) return new Map();
  const found = await rows.select(idempotencyKeys, { where: inArray(idempotencyKeys.key, keys) });
  const alive = found.filter(({ createdAt }) => createdAt >= expiry());
  return new Map(alive.map((row) => [row.key, row]));
}

/** What a request for one call was answered; undefined where the key came with another body. */
export function answerIn(row: KeyRow, bodyHash: string): Answer | undefined {
  const { callId, publicId, message } = row;
  if (row.bodyHash !== bodyHash || callId === null || publicId === null || message === null)
    return undefined;
  return { callId: callId as CallId, publicId, message };
}

/** What a batch was answered; undefined where the key came with another body. */
export async function batchAnswerIn(
  rows: WorkspaceRows,
  row: KeyRow,
  bodyHash: string,
): Promise<BatchAnswer[] | undefined> {
  if (row.bodyHash !== bodyHash || row.batch === null) return undefined;
  const ids = row.batch.flatMap((item) => ('callId' in item ? [item.callId] : []));
  const found = await rows.select(calls, { where: inArray(calls.id, ids) });
  const names = new Map(found.map(({ id, publicId }) => [id, publicId]));
  return row.batch.map((item) => answerOfItem(item, names));
}

function answerOfItem(item: BatchItem, names: ReadonlyMap<string, string | null>): BatchAnswer {
  if ('problem' in item) return item;
  const callId = item.callId as CallId;
  const publicId = names.get(callId) ?? undefined;
  // Its name holds the number, and goes with it.
  if (publicId === undefined) return { callId, publicId: callId, message: ERASED_MESSAGE };
  return { callId, publicId, message: item.message };
}

export async function findKey(rows: WorkspaceRows, key: string): Promise<KeyRow | undefined> {
  return (await usedKeys(rows, [key])).get(key);
}

/** A call got another name than its key was taken with. */
export async function renameInKey(
  rows: WorkspaceRows,
  key: string,
  publicId: string,
): Promise<void> {
  await rows.update(idempotencyKeys, { publicId }, eq(idempotencyKeys.key, key));
}

function expiry(): Date {
  return new Date(Date.now() - KEY_LIFETIME_MS);
}
