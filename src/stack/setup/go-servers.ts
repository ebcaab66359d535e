import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { goServers, isExecutable, serverPath, type GoServer } from '../binaries.ts';
import { sourceRoot } from '../source-root.ts';
import { requireGo } from './go-toolchain.ts';
import { Progress } from './progress.ts';
import { runVisibly } from './run-visibly.ts';

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
  const go = requireGo();
  for (const server of servers) await buildServer(go, server);
}

async function buildServer(go: string, server: GoServer): Promise<void> {
  const target = serverPath(server);
  const draft = `${target}.${process.pid}`;
  mkdirSync(path.dirname(target), { recursive: true });
  const progress = new Progress(`${server} ${goServers[server].version} from its Go module`);
  let packages = 0;
  try {
    await runVisibly(go, ['build', '-v', '-mod=readonly', '-o', draft, goServers[server].main], {
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
