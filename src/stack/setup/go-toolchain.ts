import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../../platform/errors.ts';
import { cacheFolder, findProgram, isExecutable } from '../binaries.ts';
import { Progress } from './progress.ts';

/** The first Go that fetches the toolchain that a module asks for by itself (go.dev/doc/toolchain). */
const OLDEST_GO = [1, 21] as const;
const TOOLCHAIN = 'go1.26.8';

/** Whether some Go is on this machine; an old one is enough to fetch a new one. */
export function hasGo(): boolean {
  return findProgram('go') !== undefined;
}

/**
 * A Go that can build the servers: the machine's own, or, where that is too old (Debian's is), the toolchain
 * that Go itself publishes as a module, brought into the cache folder.
 * @throws OperatorError where there is no Go at all, or the module cannot be had.
 */
export function requireGo(): string {
  const own = findProgram('go');
  if (own === undefined) {
    throw new OperatorError('Go is not on this machine; the LiveKit servers are built with it.', {
      remedy:
        'Install it (Debian, as root: apt-get install -y golang-go), or start a Docker engine.',
    });
  }
  if (isRecent(spawnSync(own, ['env', 'GOVERSION'], { encoding: 'utf8' }).stdout)) return own;
  const folder = path.join(cacheFolder(), TOOLCHAIN);
  const program = path.join(folder, 'bin/go');
  if (!isExecutable(program)) fetchToolchain(own, folder);
  return program;
}

/** Whether `go env GOVERSION` names a version that need not be replaced. */
export function isRecent(version: string): boolean {
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return false;
  return (
    Number(major) > OLDEST_GO[0] ||
    (Number(major) === OLDEST_GO[0] && Number(minor) >= OLDEST_GO[1])
  );
}

function fetchToolchain(oldGo: string, folder: string): void {
  const progress = new Progress(`${TOOLCHAIN} as a Go module`);
  const machine = `linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`;
  const wanted = `golang.org/toolchain@v0.0.1-${TOOLCHAIN}.${machine}`;
  const { status, stdout, stderr } = spawnSync(oldGo, ['mod', 'download', '-json', wanted], {
    encoding: 'utf8',
    env: { ...process.env, GO111MODULE: 'on', GOFLAGS: '-mod=mod' },
  });
  if (status !== 0) {
    throw new OperatorError(`A newer Go could not be fetched:\n${stderr || stdout}`, {
      remedy: `Install Go ${OLDEST_GO.join('.')} or later, then run this again.`,
    });
  }
  const { Dir: source } = JSON.parse(stdout) as { Dir: string };
  const draft = `${folder}.${process.pid}`;
  mkdirSync(path.dirname(folder), { recursive: true });
  try {
    cpSync(source, draft, { recursive: true });
    makeExecutable(draft);
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  progress.done();
}

/** The module cache holds files that nobody may write or run. */
function makeExecutable(toolchain: string): void {
  for (const entry of readdirSync(toolchain, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const program = /\/(bin|pkg\/tool\/[^/]+)\/[^/]+$/.test(file);
    chmodSync(file, entry.isDirectory() || program ? 0o755 : 0o644);
  }
}
