import { LEDGER_MIGRATIONS } from '../call/ledger/ledger.ts';
import type { OpenDatabase } from '../platform/database.ts';
import { dropTables, holdsRows, loadDatabase, readDumpHead } from '../platform/database-load.ts';
import { OperatorError } from '../platform/errors.ts';
import { firstMigrations, migrationNames } from '../platform/migrations.ts';

/**
 * Fills a database from the lines of a backup, and brings it to the newest migration: the tables are first made
 * as they were when the backup was.
 *
 * @param options.replace removes what the database holds; without it a database that holds anything is refused
 * @returns rows of each table
 * @throws OperatorError
 */
export async function restoreDatabase(
  database: OpenDatabase,
  lines: AsyncIterator<string>,
  options: { replace: boolean },
): Promise<Record<string, number>> {
  const first = await lines.next();
  const head = readDumpHead(first.done === true ? '' : first.value);
  const known = migrationNames(LEDGER_MIGRATIONS).length;
  if (head.migrations > known) {
    throw new OperatorError('The backup is of a later version than this one.', {
      remedy: 'Restore it with the version that made it, or a later one.',
    });
  }
  const { db } = database;
  if (!options.replace && (await holdsRows(db))) {
    throw new OperatorError('The database holds data already.', {
      remedy: 'Give --replace to put the backup in its place; what is there is backed up before.',
    });
  }
  await dropTables(db);
  const then = firstMigrations(LEDGER_MIGRATIONS, head.migrations);
  try {
    await database.migrate(then.folder);
  } finally {
    then.remove();
  }
  const rows = await loadDatabase(db, { [Symbol.asyncIterator]: () => lines });
  await database.migrate(LEDGER_MIGRATIONS);
  return rows;
}
