import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { moment, workspace } from '../platform/columns.ts';
import type { DeliveryState } from './delivery-state.ts';

/** The tables of webhooks. Import them nowhere but in this folder. */

/** Somebody who wants to be told of events. */
export const webhookEndpoints = pgTable(
  'webhook_endpoints',
  {
    workspace: workspace(),
    /** `whe_…`. */
    id: text('id').notNull(),
    url: text('url').notNull(),
    description: text('description').notNull(),
    /** Types that it wants; empty: all. */
    events: text('events').array().notNull(),
    /** `whsec_…`: what its deliveries are signed with (Standard Webhooks). */
    secret: text('secret').notNull(),
    /** The secret before this one: deliveries are signed with it too, until `previousSecretUntil`. */
    previousSecret: text('previous_secret'),
    previousSecretUntil: moment('previous_secret_until'),
    enabled: boolean('enabled').notNull().default(true),
    /** Why it was disabled without anybody asking for it. */
    disabledReason: text('disabled_reason'),
    createdAt: moment('created_at').notNull(),
    updatedAt: moment('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspace, table.id] })],
);

/** One event on its way to one receiver: an outbox, written in the transaction of the event itself. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    workspace: workspace(),
    /** `whd_…`. */
    id: text('id').notNull(),
    /** Id of the endpoint, or `callback`: then it goes to `url`. */
    receiver: text('receiver').notNull(),
    /** The `callback_url` of the call; null where the endpoint says where to. */
    url: text('url'),
    eventId: text('event_id').notNull(),
    type: text('type').notNull(),
    /** Null for events that are about no call. Deliveries of one call to one receiver keep their order. */
    callId: text('call_id'),
    /** The body as it is sent, until it is erased with the call. Holds personal data. */
    payload: jsonb('payload').$type<Record<string, unknown>>(),
    state: text('state').$type<DeliveryState>().notNull(),
    attempts: integer('attempts').notNull().default(0),
    /** Order of writing. */
    sequence: bigint('sequence', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    createdAt: moment('created_at').notNull(),
    /** Not before. While it is being sent: when whoever sends it is given up for lost. */
    dueAt: moment('due_at').notNull(),
    deliveredAt: moment('delivered_at'),
    /** Status of the last answer, where there was one. */
    lastStatus: integer('last_status'),
    /** Why the last attempt failed, without anything that stood in it. */
    lastError: text('last_error'),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.id] }),
    uniqueIndex('webhook_deliveries_once').on(table.workspace, table.eventId, table.receiver),
    index('webhook_deliveries_due').on(table.workspace, table.state, table.dueAt),
    index('webhook_deliveries_chain').on(
      table.workspace,
      table.receiver,
      table.callId,
      table.sequence,
    ),
    index('webhook_deliveries_call').on(table.workspace, table.callId),
    index('webhook_deliveries_age').on(table.workspace, table.createdAt),
  ],
);

export type EndpointRow = typeof webhookEndpoints.$inferSelect;
export type DeliveryRow = typeof webhookDeliveries.$inferSelect;
