import { sql } from 'drizzle-orm';
import type { Database } from './database.ts';
import { rowsOf } from './migrations.ts';

/**
 * All rows of all tables as lines of JSON, whatever the tables' columns are: a dump is made by the version that
 * has the data, and read by another.
 *
 *   {"format":1,"madeAt":…,"migrations":n}
 *   {"table":"calls"}
 *   {"workspace":"default",…}            one row
 *   {"end":true,"rows":{"calls":1}}      without it the dump is not whole
 */
export const DUMP_FORMAT = 1;

const PAGE = 500;

type Table = { name: string; key: string[] };

/**
 * @param options.migrations how many migrations the database has
 * @param options.last the table that others speak of: read after them, it is never older than they are
 */
export async function* dumpDatabase(
  db: Database,
  options: { migrations: number; last: string },
): AsyncGenerator<string> {
  const head = { format: DUMP_FORMAT, madeAt: Date.now(), migrations: options.migrations };
  yield `${JSON.stringify(head)}\n`;
  const tables = await tablesOf(db);
  const ordered = tables.toSorted(
    (a, b) => Number(a.name === options.last) - Number(b.name === options.last),
  );
  const rows: Record<string, number> = {};
  for (const table of ordered) {
    yield `${JSON.stringify({ table: table.name })}\n`;
    rows[table.name] = 0;
    for await (const line of linesOf(db, table)) {
      rows[table.name] = (rows[table.name] ?? 0) + 1;
      yield `${line}\n`;
    }
  }
  yield `${JSON.stringify({ end: true, rows })}\n`;
}

/** Our tables, told from others' by their keys' first column, with the columns of those keys. */
export async function tablesOf(db: Database): Promise<Table[]> {
  return rowsOf<Table>(
    db,
    sql`
      select c.relname as name, array_agg(a.attname::text order by k.position) as key
      from pg_index i
      join pg_class c on c.oid = i.indrelid
      join pg_namespace n on n.oid = c.relnamespace
      cross join lateral unnest(i.indkey) with ordinality as k(number, position)
      join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
      where i.indisprimary and n.nspname = 'public'
      group by c.relname
      having (array_agg(a.attname::text order by k.position))[1] = 'workspace'
      order by c.relname`,
  );
}

/** The rows of a table in pages by its key, so that neither memory nor the database is held for long. */
async function* linesOf(db: Database, { name, key }: Table): AsyncGenerator<string> {
  const columns = sql.join(
    key.map((column) => sql.identifier(column)),
    sql`, `,
  );
  let after: string[] | undefined;
  for (;;) {
    const from =
      after === undefined
        ? sql`true`
        : sql`(${columns}) > (${sql.join(
            after.map((value) => sql`${value}`),
            sql`, `,
          )})`;
    const page = await rowsOf<{ line: string; at: string[] }>(
      db,
      sql`
        select row_to_json(t)::text as line, array[${columns}]::text[] as at
        from ${sql.identifier(name)} as t
        where ${from}
        order by ${columns}
        limit ${PAGE}`,
    );
    for (const { line } of page) yield line;
    after = page.at(-1)?.at;
    if (page.length < PAGE) return;
  }
}

/** Rows of each of our tables. */
export async function countRows(db: Database): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { name } of await tablesOf(db)) {
    const [found] = await rowsOf<{ count: number }>(
      db,
      sql`select count(*)::int as count from ${sql.identifier(name)}`,
    );
    counts[name] = found?.count ?? 0;
  }
  return counts;
}
