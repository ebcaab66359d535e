import {
  bigint,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { moment, workspace } from '../platform/columns.ts';
import type { Scope } from './scope.ts';

/** The tables of who may do what, and who did. Import them nowhere but in this folder. */

export const apiKeys = pgTable(
  'api_keys',
  {
    workspace: workspace(),
    /** `key_…`. */
    id: text('id').notNull(),
    name: text('name').notNull(),
    /** SHA-256 of the key, in hex: the key itself is shown once and kept nowhere. */
    hash: text('hash').notNull(),
    /** Its first characters, by which people tell keys apart. */
    prefix: text('prefix').notNull(),
    scopes: text('scopes').array().$type<Scope[]>().notNull(),
    /** Requests a minute; null: as many as come. */
    rateLimit: integer('rate_limit'),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at'),
    revokedAt: moment('revoked_at'),
    lastUsedAt: moment('last_used_at'),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.id] }),
    uniqueIndex('api_keys_hash').on(table.workspace, table.hash),
  ],
);

/** Who changed what, and when. Nothing is changed or removed here. */
export const auditRecords = pgTable(
  'audit',
  {
    workspace: workspace(),
    /** `aud_…`, ordered by time. */
    id: text('id').notNull(),
    at: moment('at').notNull(),
    /** Id of the key, or `root` for the one of the configuration. */
    actor: text('actor').notNull(),
    /** The key's name at the time. */
    actorName: text('actor_name').notNull(),
    /** For example `key.create`, `call.erase`, `webhook.delete`. */
    action: text('action').notNull(),
    /** Id of what was changed. */
    subject: text('subject'),
    /** Without secrets, numbers and what was said. */
    detail: jsonb('detail').$type<Record<string, unknown>>().notNull(),
    sequence: bigint('sequence', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspace, table.id] }),
    index('audit_at').on(table.workspace, table.at),
  ],
);

export type ApiKeyRow = typeof apiKeys.$inferSelect;
export type AuditRow = typeof auditRecords.$inferSelect;
