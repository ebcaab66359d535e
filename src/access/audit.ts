import { and, desc, eq, gte, lt, sql, type SQL } from 'drizzle-orm';
import { ulid } from 'ulid';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import { auditRecords, type AuditRow } from './schema.ts';

/** Who asks: a key by its id and name; `root` is the key of the configuration. */
export type Actor = { id: string; name: string };

export type Action = `${'key' | 'call' | 'webhook' | 'delivery' | 'export' | 'backup'}.${string}`;

/** Writes down who changed what. Given the rows of a transaction, the change and its record hold together. */
export async function recordAction(
  rows: WorkspaceRows,
  entry: {
    actor: Actor;
    action: Action;
    subject?: string | undefined;
    /** Without secrets, numbers and what was said. */
    detail?: Record<string, unknown>;
  },
): Promise<void> {
  const at = new Date();
  await rows.insert(auditRecords, [
    {
      id: `aud_${ulid(at.getTime()).toLowerCase()}`,
      at,
      actor: entry.actor.id,
      actorName: entry.actor.name,
      action: entry.action,
      subject: entry.subject ?? null,
      detail: entry.detail ?? {},
    },
  ]);
}

export type AuditFilter = {
  /** `key.create`, or `key` for all that concerns keys. */
  action?: string | undefined;
  actor?: string | undefined;
  subject?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
  /** Id of the last record of the page before. */
  before?: string | undefined;
  limit: number;
};

/** The records, newest first. */
export async function listActions(rows: WorkspaceRows, filter: AuditFilter): Promise<AuditRow[]> {
  const { action, actor, subject, since, until, before } = filter;
  return rows.select(auditRecords, {
    where: and(
      action === undefined ? undefined : ofAction(action),
      actor === undefined ? undefined : eq(auditRecords.actor, actor),
      subject === undefined ? undefined : eq(auditRecords.subject, subject),
      since && gte(auditRecords.at, since),
      until && lt(auditRecords.at, until),
      before === undefined ? undefined : lt(auditRecords.id, before),
    ),
    orderBy: [desc(auditRecords.id)],
    limit: filter.limit,
  });
}

function ofAction(action: string): SQL {
  if (action.includes('.')) return eq(auditRecords.action, action);
  return sql`starts_with(${auditRecords.action}, ${`${action}.`})`;
}
