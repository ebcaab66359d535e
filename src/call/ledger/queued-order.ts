import { ZodError } from 'zod';
import type { CallId } from '../call-id.ts';
import { callOrderSchema, type CallOrder } from '../order.ts';
import type { CallRequest, CallRow } from './schema.ts';

/** The part of an order that has no column of its own. */
export function requestOf(order: CallOrder, callbackUrl: string | undefined): CallRequest {
  const { callerName, prompt, greeting, trunk, from, notBefore, priority, maxDurationMs } = order;
  return {
    ...(callerName === undefined ? {} : { callerName }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(greeting === undefined ? {} : { greeting }),
    ...(trunk === undefined ? {} : { trunk }),
    ...(from === undefined ? {} : { from }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(priority === undefined ? {} : { priority }),
    ...(maxDurationMs === undefined ? {} : { maxDurationMs }),
    ...(callbackUrl === undefined ? {} : { callbackUrl }),
  };
}

/** The order that a call's row was made from, as it was accepted. */
function orderOf(row: CallRow): CallOrder {
  return callOrderSchema.parse({
    callId: row.id as CallId,
    publicId: row.publicId,
    workspace: row.workspace,
    to: row.to,
    personality: row.personality,
    variables: row.variables,
    metadata: row.metadata,
    acceptedAt: row.startedAt.getTime(),
    ...row.request,
  });
}

/** A page of queued calls. */
export type QueuedOrders = {
  orders: CallOrder[];
  /** Calls whose order cannot be read: written by another version, or by hand. They hold up no other. */
  unreadable: CallId[];
  /** Where the next page begins; undefined where this one is empty. */
  last: CallId | undefined;
};

export function queuedOrdersOf(rows: readonly CallRow[]): QueuedOrders {
  const orders: CallOrder[] = [];
  const unreadable: CallId[] = [];
  for (const row of rows) {
    try {
      orders.push(orderOf(row));
    } catch (thrown) {
      if (!(thrown instanceof ZodError)) throw thrown;
      unreadable.push(row.id as CallId);
    }
  }
  return { orders, unreadable, last: rows.at(-1)?.id as CallId | undefined };
}
