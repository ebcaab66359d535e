import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperatorError } from './errors.ts';

/**
 * Holds a folder for this process alone until the returned function is called. The lock is the operating
 * system's (taken by SQLite on a file in the folder), so it goes with the process, however that ends, and
 * also holds between containers that share a folder; a file with a process id in it would do neither.
 *
 * @throws OperatorError where another process, or another part of this one, has it.
 */
export function holdFolder(folder: string, remedy: string): () => void {
  const lock = new DatabaseSync(path.join(folder, 'lock'), { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (thrown) {
    lock.close();
    throw new OperatorError(`Another process uses ${folder}.`, { remedy, cause: thrown });
  }
  return () => lock.close();
}
