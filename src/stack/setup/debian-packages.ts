import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../../platform/errors.ts';
import { findProgram } from '../binaries.ts';
import { hasGo } from './go-toolchain.ts';
import { Progress } from './progress.ts';
import { runVisibly } from './run-visibly.ts';
import { hasPythonVenv, hasSchemathesis } from './schemathesis.ts';

const POSTGRES = '/usr/lib/postgresql';

type Need = { package: string; why: string; present: () => boolean };

const program = (name: string) => () => findProgram(name) !== undefined;
const library = (name: string) => () =>
  findProgram('pkg-config') !== undefined &&
  spawnSync('pkg-config', ['--exists', name]).status === 0;

const runNeeds: Need[] = [
  { package: 'redis-server', why: 'the queue and LiveKit', present: program('redis-server') },
  { package: 'espeak-ng', why: "the simulator's voices", present: program('espeak-ng') },
];

const buildNeeds: Need[] = [
  { package: 'gcc', why: 'building livekit-sip', present: program('gcc') },
  {
    package: 'libc6-dev',
    why: 'building livekit-sip',
    present: () => existsSync('/usr/include/stdlib.h'),
  },
  { package: 'pkg-config', why: 'building livekit-sip', present: program('pkg-config') },
  { package: 'golang-go', why: 'building the LiveKit servers', present: hasGo },
  { package: 'libopus-dev', why: 'building livekit-sip', present: library('opus') },
  { package: 'libopusfile-dev', why: 'building livekit-sip', present: library('opusfile') },
  { package: 'libsoxr-dev', why: 'building livekit-sip', present: library('soxr') },
];

const testNeeds: Need[] = [
  { package: 'iproute2', why: 'tests with several machines', present: program('ip') },
  {
    package: 'faketime',
    why: 'tests that step a clock',
    present: () => globSync('/usr/lib/*/faketime/libfaketime.so.1').length > 0,
  },
  {
    package: 'postgresql',
    why: 'the ledger’s tests on Postgres',
    present: hasPostgresServer,
  },
  {
    package: 'python3-venv',
    why: 'schemathesis, which tries the API out',
    present: () => hasSchemathesis() || hasPythonVenv(),
  },
];

/** Debian keeps each version in a folder of its own; the client alone makes that folder too. */
function hasPostgresServer(): boolean {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES) : [];
  const installed = versions.some((version) =>
    existsSync(path.join(POSTGRES, version, 'bin/initdb')),
  );
  return installed || findProgram('initdb') !== undefined;
}

/** Packages whose installation starts a service that we only want the program of. */
const services: Record<string, string> = {
  'redis-server': 'redis-server',
  postgresql: 'postgresql',
};

/** Debian packages that are missing for a purpose: to run, to build the servers, to test. */
export function missingPackages(purpose: { build: boolean; test: boolean }): Need[] {
  const needs = [
    ...runNeeds,
    ...(purpose.build ? buildNeeds : []),
    ...(purpose.test ? testNeeds : []),
  ];
  return needs.filter(({ present }) => !present());
}

/**
 * Installs Debian packages: as root without asking, through sudo otherwise.
 * @throws OperatorError with the command to run by hand where neither is possible.
 */
export async function installPackages(missing: readonly Need[]): Promise<void> {
  if (missing.length === 0) return;
  const names = missing.map((need) => need.package);
  const byHand = `apt-get update && apt-get install -y ${names.join(' ')}`;
  if (findProgram('apt-get') === undefined) {
    throw new OperatorError(
      `These programs and libraries are missing: ${names.join(', ')} (Debian's names).`,
      {
        remedy: 'Install them with the package manager of this system, then run this again.',
      },
    );
  }
  const prefix = rootPrefix(byHand);
  const progress = new Progress(`Debian packages: ${names.join(', ')}`);
  const apt = async (...args: string[]) => {
    const [command = 'apt-get', ...rest] = [...prefix, 'apt-get', ...args];
    await runVisibly(command, rest, {
      environment: { DEBIAN_FRONTEND: 'noninteractive' },
      onLine: (line) => progress.update(line.slice(0, 70)),
      remedy: `Try by hand: ${byHand}`,
    });
  };
  await apt('update', '-q');
  await apt('install', '-y', '-q', '--no-install-recommends', ...names);
  for (const name of names) stopService(prefix, services[name]);
  progress.done();
}

/** What must stand before a command so that it runs as root. */
function rootPrefix(byHand: string): string[] {
  if (process.getuid?.() === 0) return [];
  const canAsk = process.stdin.isTTY;
  if (
    findProgram('sudo') !== undefined &&
    (canAsk || spawnSync('sudo', ['-n', 'true']).status === 0)
  ) {
    return ['sudo'];
  }
  throw new OperatorError('Debian packages are missing, and installing them needs root.', {
    remedy: `Run as root: ${byHand}`,
  });
}

/** The package has just been installed by us, for its program: its service would only take the port. */
function stopService(prefix: readonly string[], service: string | undefined): void {
  if (service === undefined) return;
  const run = (...words: string[]) => {
    const [command = '', ...args] = [...prefix, ...words];
    return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  };
  if (!run('systemctl', 'disable', '--now', service)) run('service', service, 'stop');
}
