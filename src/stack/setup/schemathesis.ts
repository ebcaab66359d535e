import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder, findProgram } from '../binaries.ts';
import { sourceRoot } from '../source-root.ts';
import { Progress } from './progress.ts';
import { runVisibly } from './run-visibly.ts';

const REQUIREMENTS = path.join(sourceRoot, 'tools/schemathesis/requirements.txt');

/** Whether this machine's Python can make an environment of its own; Debian packs that part apart. */
export function hasPythonVenv(): boolean {
  const python = findProgram('python3');
  if (python === undefined) return false;
  return spawnSync(python, ['-c', 'import venv, ensurepip'], { stdio: 'ignore' }).status === 0;
}

/** Where schemathesis is, or will be: in a folder of its own for each set of pinned packages. */
export function schemathesisPath(): string {
  return path.join(environmentFolder(), 'bin/schemathesis');
}

/** Whether schemathesis is in the cache folder, whole. */
export function hasSchemathesis(): boolean {
  return existsSync(markOf(environmentFolder()));
}

/**
 * Brings schemathesis, which tries the API out by its description, into the cache folder.
 * @throws OperatorError where there is no Python, or the packages cannot be had.
 */
export async function installSchemathesis(): Promise<void> {
  if (hasSchemathesis()) return;
  const folder = environmentFolder();
  const progress = new Progress('schemathesis, in a Python environment of its own');
  const onLine = (line: string) => progress.update(line.slice(0, 60));
  // An environment holds its own address and cannot be moved: a mark tells that it is whole.
  rmSync(folder, { recursive: true, force: true });
  await runVisibly(findProgram('python3') ?? 'python3', ['-m', 'venv', folder], {
    onLine,
    remedy: 'Debian, as root: apt-get install -y python3-venv',
  });
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input'];
  await runVisibly(path.join(folder, 'bin/python'), [...pip, '-r', REQUIREMENTS], {
    onLine,
    remedy: 'Run this again; pip takes packages from the index that it is configured with.',
  });
  writeFileSync(markOf(folder), '');
  progress.done();
}

function environmentFolder(): string {
  const pinned = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  return path.join(cacheFolder(), `schemathesis-${pinned.slice(0, 12)}`);
}

function markOf(folder: string): string {
  return path.join(folder, 'installed');
}
