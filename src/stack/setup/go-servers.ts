import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../../platform/errors.ts';
import { findProgram, goServers, isExecutable, serverPath, type GoServer } from '../binaries.ts';
import { sourceRoot } from '../source-root.ts';
import { Progress } from './progress.ts';
import { runVisibly } from './run-visibly.ts';

/** The first Go that fetches the toolchain that a module asks for (go.dev/doc/toolchain). */
const OLDEST_GO = [1, 21] as const;

/** LiveKit servers that are not in the cache folder yet. */
export function missingServers(): GoServer[] {
  return (Object.keys(goServers) as GoServer[]).filter(
    (server) => !isExecutable(serverPath(server)),
  );
}

/**
 * Builds servers from their pinned Go modules into the cache folder.
 * @throws OperatorError where Go is missing or too old, or a build fails.
 */
export async function buildServers(servers: readonly GoServer[]): Promise<void> {
  if (servers.length === 0) return;
  requireGo();
  for (const server of servers) await buildServer(server);
}

async function buildServer(server: GoServer): Promise<void> {
  const target = serverPath(server);
  const draft = `${target}.${process.pid}`;
  mkdirSync(path.dirname(target), { recursive: true });
  const progress = new Progress(`${server} ${goServers[server].version} from its Go module`);
  let packages = 0;
  try {
    await runVisibly('go', ['build', '-v', '-mod=readonly', '-o', draft, goServers[server].main], {
      cwd: path.join(sourceRoot, 'tools', server),
      environment: { CGO_ENABLED: server === 'livekit-sip' ? '1' : '0', GOTOOLCHAIN: 'auto' },
      onLine: (line) => {
        packages += 1;
        progress.update(`${packages} packages, ${line.slice(0, 60)}`);
      },
      remedy: 'Run this again; what is already built is kept.',
    });
    chmodSync(draft, 0o755);
    // A build that was broken off never looks finished.
    renameSync(draft, target);
  } finally {
    rmSync(draft, { force: true });
  }
  progress.done();
}

function requireGo(): void {
  const remedy = `Install Go ${OLDEST_GO.join('.')} or later (Debian: golang-go from backports), or start a Docker engine.`;
  if (findProgram('go') === undefined) {
    throw new OperatorError('Go is not on this machine; the LiveKit servers are built with it.', {
      remedy,
    });
  }
  const said = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).stdout;
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(said) ?? [];
  const recent = Number(major) > OLDEST_GO[0] || Number(minor) >= OLDEST_GO[1];
  if (!recent)
    throw new OperatorError(`The Go on this machine is too old (${said.trim()}).`, { remedy });
}
