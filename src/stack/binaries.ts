import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { OperatorError } from '../platform/errors.ts';

/** The LiveKit servers that are built from the modules below `tools/`, and their pinned versions. */
export const goServers = {
  'livekit-server': {
    module: 'github.com/livekit/livekit-server',
    main: 'github.com/livekit/livekit-server/cmd/server',
    version: 'v1.13.5',
  },
  'livekit-sip': {
    module: 'github.com/livekit/sip',
    main: 'github.com/livekit/sip/cmd/livekit-sip',
    version: 'v1.8.0',
  },
} as const;

export type GoServer = keyof typeof goServers;

/** Where built servers are kept between runs and checkouts: `TRUNKLINE_CACHE`, else the user's cache folder. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment['TRUNKLINE_CACHE'];
  if (own) return own;
  return path.join(environment['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'trunkline');
}

export function serverPath(server: GoServer): string {
  return path.join(cacheFolder(), 'bin', `${server}-${goServers[server].version}`);
}

/** The path of a program on PATH, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  // Debian keeps redis-server and others where an ordinary user's PATH may not reach.
  for (const folder of [...folders, '/usr/sbin', '/usr/local/bin', '/usr/bin']) {
    if (folder !== '' && isExecutable(path.join(folder, name))) return path.join(folder, name);
  }
  return undefined;
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws OperatorError with the remedy, where the program or server is not on this machine. */
export function requireProgram(name: 'redis-server' | GoServer): string {
  const found = name in goServers ? serverPath(name as GoServer) : findProgram(name);
  if (found !== undefined && isExecutable(found)) return found;
  throw new OperatorError(`${name} is not on this machine.`, {
    remedy: 'Run ./start_scripts/start.sh, which gets it, or `trunkline setup`.',
  });
}
