import { and, asc, eq } from 'drizzle-orm';
import { ulid } from 'ulid';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import { CALLBACK, type OutgoingEvent } from './outgoing-event.ts';
import { webhookDeliveries, webhookEndpoints, type EndpointRow } from './schema.ts';

/** Rows of one statement: an embedded Postgres does nothing else meanwhile. */
const CHUNK = 100;

/**
 * Writes down who is to be told of which event. Given the rows of the transaction that writes the events, both are
 * there, or neither; what was written before is not written again.
 *
 * @returns how many deliveries are new
 */
export async function writeDeliveries(
  rows: WorkspaceRows,
  events: readonly OutgoingEvent[],
): Promise<number> {
  if (events.length === 0) return 0;
  const endpoints = await rows.select(webhookEndpoints, {
    where: eq(webhookEndpoints.enabled, true),
    orderBy: [asc(webhookEndpoints.id)],
  });
  const now = new Date();
  const deliveries = events.flatMap((event) => {
    const receivers = endpoints.filter((endpoint) => wants(endpoint, event.type));
    const common = {
      eventId: event.id,
      type: event.type,
      callId: event.call ?? null,
      payload: event.payload,
      state: 'pending' as const,
      createdAt: now,
      dueAt: now,
    };
    const toEndpoints = receivers.map(({ id }) => ({ ...common, receiver: id, url: null }));
    if (event.callbackUrl === undefined) return toEndpoints;
    return [...toEndpoints, { ...common, receiver: CALLBACK, url: event.callbackUrl }];
  });
  let written = 0;
  for (let start = 0; start < deliveries.length; start += CHUNK) {
    const part = deliveries.slice(start, start + CHUNK);
    const inserted = await rows.insert(
      webhookDeliveries,
      part.map((delivery) => ({ id: newDeliveryId(now), ...delivery })),
    );
    written += inserted.length;
  }
  return written;
}

export function newDeliveryId(at: Date): string {
  return `whd_${ulid(at.getTime()).toLowerCase()}`;
}

/** Whether an endpoint asked for events of a type; one that named none asked for all. */
function wants({ events }: Pick<EndpointRow, 'events'>, type: string): boolean {
  return events.length === 0 || events.includes(type);
}

/** Removes what deliveries hold about a call; those that have not been sent never will be. */
export async function eraseDeliveries(rows: WorkspaceRows, callId: string): Promise<void> {
  const ofCall = eq(webhookDeliveries.callId, callId);
  await rows.update(
    webhookDeliveries,
    { state: 'dead', lastError: 'the call was erased before it could be delivered' },
    both(ofCall, eq(webhookDeliveries.state, 'pending')),
  );
  await rows.update(webhookDeliveries, { payload: null }, ofCall);
  // A callback often names the record of the person in the integrator's own system.
  await rows.update(
    webhookDeliveries,
    { url: null },
    both(ofCall, eq(webhookDeliveries.receiver, CALLBACK)),
  );
}

function both(one: ReturnType<typeof eq>, other: ReturnType<typeof eq>) {
  return and(one, other) ?? one;
}
