import { LEDGER_MIGRATIONS } from '../call/ledger/ledger.ts';
import { resolvePath, type Config } from '../platform/config.ts';
import type { OpenDatabase } from '../platform/database.ts';
import { countRows } from '../platform/database-dump.ts';
import { OperatorError } from '../platform/errors.ts';
import { appliedMigrations, migrationNames } from '../platform/migrations.ts';
import { backupLines } from './backup-lines.ts';
import { backupName, makeBackup } from './make-backup.ts';

export type UpgradeReport = {
  /** Those that were applied. */
  migrations: string[];
  /** File of what was there before; absent where nothing was. */
  backup: string | undefined;
  rows: Record<string, number>;
};

/**
 * Backs a database up and brings it to the newest migration.
 *
 * @throws OperatorError where rows are missing afterwards
 */
export async function upgradeDatabase(
  config: Config,
  database: OpenDatabase,
): Promise<UpgradeReport> {
  const { db } = database;
  const applied = await appliedMigrations(db, LEDGER_MIGRATIONS);
  const migrations = migrationNames(LEDGER_MIGRATIONS).slice(applied);
  const before = await countRows(db);
  if (migrations.length === 0) return { migrations, backup: undefined, rows: before };
  let backup: string | undefined;
  if (applied > 0) {
    const name = `before-upgrade-${backupName(new Date())}`;
    backup = resolvePath(config, config.DATA_DIR, 'backups', name);
    await makeBackup({ config, file: backup, lines: backupLines(db), recordings: false });
  }
  await database.migrate(LEDGER_MIGRATIONS);
  const rows = await countRows(db);
  const lost = Object.keys(before).filter((table) => (rows[table] ?? 0) < (before[table] ?? 0));
  if (lost.length > 0) {
    throw new OperatorError(`Rows of ${lost.join(', ')} are missing after the migration.`, {
      remedy: `Go back to the earlier version with \`trunkline restore ${backup ?? 'FILE'} --replace\`.`,
    });
  }
  return { migrations, backup, rows };
}
