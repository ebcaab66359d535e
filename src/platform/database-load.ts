import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from './database.ts';
import { DUMP_FORMAT, tablesOf } from './database-dump.ts';
import { OperatorError } from './errors.ts';
import { rowsOf } from './migrations.ts';

const BATCH = 200;

const headSchema = z.object({
  format: z.literal(DUMP_FORMAT),
  madeAt: z.number(),
  migrations: z.number().int().positive(),
});
export type DumpHead = z.infer<typeof headSchema>;

const endSchema = z.object({ end: z.literal(true), rows: z.record(z.string(), z.number()) });
const tableSchema = z.strictObject({ table: z.string() });

/** The first line of a dump. @throws OperatorError where it is none, or of a later version. */
export function readDumpHead(line: string): DumpHead {
  try {
    return headSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new OperatorError('This is not a backup that this version can read.', {
      remedy: 'Take a file that `trunkline backup` wrote, and a version that is not older.',
      cause,
    });
  }
}

/**
 * Fills empty tables from a dump, all or nothing.
 *
 * @param lines those after the head
 * @returns rows of each table
 * @throws OperatorError where the dump is not whole
 */
export async function loadDatabase(
  db: Database,
  lines: AsyncIterable<string>,
): Promise<Record<string, number>> {
  return db.transaction(async (tx) => {
    const known = new Set((await tablesOf(tx)).map(({ name }) => name));
    const loaded: Record<string, number> = {};
    let table: string | undefined;
    let batch: string[] = [];
    const flush = async () => {
      if (table !== undefined && batch.length > 0) await insert(tx, table, batch);
      batch = [];
    };
    for await (const line of lines) {
      const end = endSchema.safeParse(JSON.parse(line)).data;
      if (end) {
        await flush();
        requireSame(end.rows, loaded);
        await continueIdentities(tx);
        return loaded;
      }
      const next = tableSchema.safeParse(JSON.parse(line)).data;
      if (next) {
        await flush();
        ({ table } = next);
        if (!known.has(table)) throw broken(`it holds a table ${table} that is unknown here`);
        loaded[table] = 0;
        continue;
      }
      if (table === undefined) throw broken('it holds a row of no table');
      batch.push(line);
      loaded[table] = (loaded[table] ?? 0) + 1;
      if (batch.length >= BATCH) await flush();
    }
    throw broken('its end is missing');
  });
}

/** Whether any of our tables has a row. */
export async function holdsRows(db: Database): Promise<boolean> {
  for (const { name } of await tablesOf(db)) {
    const found = await rowsOf(db, sql`select 1 from ${sql.identifier(name)} limit 1`);
    if (found.length > 0) return true;
  }
  return false;
}

/** Removes our tables, so that migrations make them anew. */
export async function dropTables(db: Database): Promise<void> {
  await db.transaction(async (tx) => {
    for (const { name } of await tablesOf(tx)) {
      await tx.execute(sql`drop table ${sql.identifier(name)} cascade`);
    }
    await tx.execute(sql`drop table if exists drizzle.__drizzle_migrations`);
  });
}

async function insert(db: Database, table: string, rows: readonly string[]): Promise<void> {
  const name = sql.identifier(table);
  const json = `[${rows.join(',')}]`;
  await db.execute(sql`
    insert into ${name} overriding system value
    select * from json_populate_recordset(null::${name}, ${json}::json)`);
}

/** Numbers that the database gives out go on after those that were loaded. */
async function continueIdentities(db: Database): Promise<void> {
  const columns = await rowsOf<{ table: string; column: string }>(
    db,
    sql`
      select table_name as "table", column_name as "column"
      from information_schema.columns
      where table_schema = 'public' and is_identity = 'YES'`,
  );
  for (const { table, column } of columns) {
    await db.execute(sql`
      select setval(
        pg_get_serial_sequence(${table}, ${column}),
        (select coalesce(max(${sql.identifier(column)}), 0) + 1 from ${sql.identifier(table)}),
        false)`);
  }
}

function requireSame(expected: Record<string, number>, loaded: Record<string, number>): void {
  for (const [table, count] of Object.entries(expected)) {
    if (loaded[table] !== count) throw broken(`rows of ${table} are missing`);
  }
}

function broken(why: string): OperatorError {
  return new OperatorError(`The backup is broken: ${why}.`, {
    remedy: 'Nothing of it is in the database, which is empty now. Restore another backup.',
  });
}
