import type { Redis } from '../platform/redis.ts';
import type { CallId } from './call-id.ts';

const DAY_S = 86_400;

/**
 * Asks that an outbound call be canceled; whoever is about to dial it, or rings it, looks here. The mark outlasts
 * the time for which the call is scheduled: its job may stay in the queue, or come back to it, though the call has
 * ended, and its fence is gone after some days.
 *
 * @param notBefore when the call is to be dialled, where that is later; ms since the epoch
 */
export async function requestCancel(
  redis: Redis,
  callId: CallId,
  notBefore?: number,
): Promise<void> {
  const waitS = Math.max(0, Math.ceil(((notBefore ?? 0) - Date.now()) / 1000));
  await redis.set(cancelKey(callId), '1', 'EX', DAY_S + waitS);
}

export async function cancelRequested(redis: Redis, callId: CallId): Promise<boolean> {
  return (await redis.exists(cancelKey(callId))) === 1;
}

function cancelKey(callId: CallId): string {
  return `trunkline:cancel:${callId}`;
}
