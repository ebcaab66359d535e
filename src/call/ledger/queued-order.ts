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
export function orderOf(row: CallRow): CallOrder {
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
