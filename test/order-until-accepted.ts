import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';

/** Orders a call as a careful program does: with one key, until an api has accepted it. Resolves to the call's id. */
export async function orderUntilAccepted(
  api: { url: string; key: string },
  body: Record<string, unknown>,
): Promise<string> {
  const idempotencyKey = randomUUID();
  for (;;) {
    // While the api is being started again nobody answers.
    const response = await fetch(`${api.url}/api/outbound-call`, {
      method: 'POST',
      headers: {
        'x-api-key': api.key,
        'content-type': 'application/json',
        'idempotency-key': idempotencyKey,
      },
      body: JSON.stringify(body),
    }).catch(() => undefined);
    await response?.arrayBuffer().catch(() => undefined);
    if (!response) {
      await delay(100);
      continue;
    }
    if (response.status === 200) return response.headers.get('x-call-id') ?? '';
    // Nothing but "not now", and when to ask again.
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).not.toBeNull();
    await delay(100);
  }
}

export type CallRow = { id: string; status: string; outcome: string | null };

/** Calls of a status, as the ledger has them. */
export async function callsWith(
  api: { url: string; key: string },
  status: string,
): Promise<CallRow[]> {
  const response = await fetch(`${api.url}/api/calls?status=${status}&limit=200`, {
    headers: { 'x-api-key': api.key },
  });
  // While the database is away the api says so.
  if (response.status === 503) return [];
  return ((await response.json()) as { calls: CallRow[] }).calls;
}
