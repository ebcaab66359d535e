import type { Redis } from '../platform/redis.ts';
import type { CallId } from './call-id.ts';
import { callOrderSchema, type CallOrder } from './order.ts';

const DAY_S = 86_400;

/** Leaves an outbound call's order where its worker finds it; it expires after a day. */
export async function putBrief(redis: Redis, order: CallOrder): Promise<void> {
  await redis.set(briefKey(order.callId), JSON.stringify(order), 'EX', DAY_S);
}

/** The order of an outbound call, or undefined where it has expired or never was. */
export async function getBrief(redis: Redis, callId: CallId): Promise<CallOrder | undefined> {
  const text = await redis.get(briefKey(callId));
  return text === null ? undefined : callOrderSchema.parse(JSON.parse(text));
}

/** Removes the order of a call that is over. */
export async function removeBrief(redis: Redis, callId: CallId): Promise<void> {
  await redis.del(briefKey(callId));
}

function briefKey(callId: CallId): string {
  return `trunkline:brief:${callId}`;
}
