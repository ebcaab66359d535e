import { LEDGER_MIGRATIONS } from '../call/ledger/ledger.ts';
import type { Database } from '../platform/database.ts';
import { withoutValues } from '../platform/database-failure.ts';
import { dumpDatabase } from '../platform/database-dump.ts';
import { OperatorError } from '../platform/errors.ts';
import { appliedMigrations } from '../platform/migrations.ts';

/**
 * Everything in the database, line by line; a call is never older than its events.
 *
 * @throws what the database throws, without the values of the query
 */
export async function* backupLines(db: Database): AsyncGenerator<string> {
  try {
    const migrations = await appliedMigrations(db, LEDGER_MIGRATIONS);
    if (migrations === 0) {
      throw new OperatorError('The database is empty: there is nothing to keep.');
    }
    yield* dumpDatabase(db, { migrations, last: 'calls' });
  } catch (thrown) {
    // Fastify logs what breaks a stream off, and the keys of the last page are among the values.
    throw withoutValues(thrown);
  }
}
