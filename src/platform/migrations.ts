import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from './database.ts';

const JOURNAL = 'meta/_journal.json';

const journalSchema = z.looseObject({
  entries: z.array(z.looseObject({ tag: z.string(), when: z.number() })),
});

/** Names of the migrations of a folder, in their order. */
export function migrationNames(folder: string): string[] {
  return readJournal(folder).entries.map(({ tag }) => tag);
}

/** How many of a folder's migrations a database has. 0 where it has no tables of ours. */
export async function appliedMigrations(db: Database, folder: string): Promise<number> {
  const found = await rowsOf<{ made: boolean }>(
    db,
    sql`select to_regclass('drizzle.__drizzle_migrations') is not null as made`,
  );
  if (found[0]?.made !== true) return 0;
  const [last] = await rowsOf<{ at: string | null }>(
    db,
    sql`select max(created_at)::text as at from drizzle.__drizzle_migrations`,
  );
  const at = Number(last?.at ?? 0);
  return readJournal(folder).entries.filter(({ when }) => when <= at).length;
}

/** A copy of a folder of migrations with only the first so many; whoever asks removes it. */
export function firstMigrations(
  folder: string,
  count: number,
): { folder: string; remove: () => void } {
  const copy = mkdtempSync(path.join(tmpdir(), 'trunkline-migrations-'));
  cpSync(folder, copy, { recursive: true });
  const journal = readJournal(folder);
  const entries = journal.entries.slice(0, count);
  writeFileSync(path.join(copy, JOURNAL), JSON.stringify({ ...journal, entries }));
  return { folder: copy, remove: () => rmSync(copy, { recursive: true, force: true }) };
}

/** The rows of a query that no table's definition can say. */
export async function rowsOf<R>(db: Database, query: ReturnType<typeof sql>): Promise<R[]> {
  // Both drivers answer with an object that has `rows`; drizzle's common type says nothing of it.
  const answer: unknown = await db.execute(query);
  return (answer as { rows: R[] }).rows;
}

function readJournal(folder: string): z.infer<typeof journalSchema> {
  return journalSchema.parse(JSON.parse(readFileSync(path.join(folder, JOURNAL), 'utf8')));
}
