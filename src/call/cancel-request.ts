import type { Redis } from '../platform/redis.ts';
import type { CallId } from './call-id.ts';

const DAY_S = 86_400;

/** Asks that an outbound call be canceled; whoever is about to dial it, or rings it, looks here. */
export async function requestCancel(redis: Redis, callId: CallId): Promise<void> {
  await redis.set(cancelKey(callId), '1', 'EX', DAY_S);
}

export async function cancelRequested(redis: Redis, callId: CallId): Promise<boolean> {
  return (await redis.exists(cancelKey(callId))) === 1;
}

function cancelKey(callId: CallId): string {
  return `trunkline:cancel:${callId}`;
}
