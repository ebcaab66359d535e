import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { describe, expect, it } from 'vitest';

const SOURCE = path.join(import.meta.dirname, '..');

/** The program's own files below src, with their text. */
function sources(): { file: string; text: string }[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => ({ file, text: readFileSync(path.join(SOURCE, file), 'utf8') }));
}

describe('a query without its workspace', () => {
  const schemas = sources().filter(({ text }) => text.includes('pgTable('));

  it('has no table to be about: each has the workspace first in its primary key', async () => {
    const modules = await Promise.all(
      schemas.map(
        async ({ file }) => (await import(path.join(SOURCE, file))) as Record<string, unknown>,
      ),
    );
    const tables = modules.flatMap(Object.values).filter((value) => is(value, PgTable));
    expect(tables.length).toBeGreaterThan(7);
    for (const table of tables) {
      const { columns, primaryKeys, indexes } = getTableConfig(table);
      expect(columns.find(({ name }) => name === 'workspace')?.notNull).toBe(true);
      expect(primaryKeys[0]?.columns[0]?.name).toBe('workspace');
      for (const index of indexes) {
        // A GIN index has no order, so its columns have none either; the query names the workspace all the same.
        if (index.config.method === 'gin') continue;
        expect(index.config.columns[0]).toMatchObject({ name: 'workspace' });
      }
    }
  });

  it('has nobody to write it: tables stay in their folder, and queries in WorkspaceRows', () => {
    expect(schemas.every(({ file }) => path.basename(file) === 'schema.ts')).toBe(true);
    // Types only may be imported from elsewhere.
    const importers = sources().filter(({ text }) =>
      /^import \{[^}]*\} from '[^']*\/(ledger|webhook|access)\/schema\.ts'/m.test(text),
    );
    expect(importers.map(({ file }) => file)).toEqual([]);
    const writers = sources().filter(({ text }) =>
      /\b(db|tx)\s*\.(select|selectDistinct|insert|update|delete|execute|query|\$with)\b/.test(
        text,
      ),
    );
    expect(writers.map(({ file }) => file).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'platform/database-load.ts',
      // `select 1`, to learn whether the database answers.
      'platform/database.ts',
      'platform/migrations.ts',
      'platform/workspace-rows.ts',
    ]);
  });
});
