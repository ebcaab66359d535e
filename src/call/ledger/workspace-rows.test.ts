import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { describe, expect, it } from 'vitest';
import * as schema from './schema.ts';

const SOURCE = path.join(import.meta.dirname, '../..');

/** The program's own files below src, with their text. */
function sources(): { file: string; text: string }[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => ({ file, text: readFileSync(path.join(SOURCE, file), 'utf8') }));
}

describe('a query without its workspace', () => {
  const tables = Object.values(schema).filter((value) => is(value, PgTable));

  it('has no table to be about: each has the workspace first in its primary key', () => {
    expect(tables.length).toBeGreaterThan(3);
    for (const table of tables) {
      const { columns, primaryKeys, indexes } = getTableConfig(table);
      expect(columns.find(({ name }) => name === 'workspace')?.notNull).toBe(true);
      expect(primaryKeys[0]?.columns[0]?.name).toBe('workspace');
      for (const index of indexes) {
        expect(index.config.columns[0]).toMatchObject({ name: 'workspace' });
      }
    }
  });

  it('has nobody to write it: tables stay in their folder, and queries in WorkspaceRows', () => {
    const importers = sources().filter(({ file, text }) => {
      return !file.startsWith('call/ledger/') && /^import \{.*ledger\/schema\.ts/m.test(text);
    });
    expect(importers.map(({ file }) => file)).toEqual([]);
    const writers = sources().filter(({ text }) =>
      /\b(db|tx)\s*\.(select|selectDistinct|insert|update|delete|execute|query|\$with)\b/.test(
        text,
      ),
    );
    expect(writers.map(({ file }) => file).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'call/ledger/workspace-rows.ts',
      // `select 1`, to learn whether the database answers.
      'platform/database.ts',
    ]);
  });
});
