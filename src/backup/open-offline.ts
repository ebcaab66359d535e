import { resolvePath, type Config } from '../platform/config.ts';
import { openDatabase, type OpenDatabase } from '../platform/database.ts';
import { OperatorError } from '../platform/errors.ts';
import { createLog } from '../platform/log.ts';

/** The database as it is, for work that no api may disturb. @throws OperatorError where one runs */
export async function openOffline(config: Config): Promise<OpenDatabase> {
  const database = await openDatabase({
    url: config.DATABASE_URL,
    folder: resolvePath(config, config.DATA_DIR, 'database'),
    log: createLog('offline', 'error'),
  });
  const others = await database.others();
  if (others === 0) return database;
  await database.close();
  throw new OperatorError('Others of Trunkline are connected to the database.', {
    remedy: 'Stop every api first (`trunkline down`).',
  });
}
