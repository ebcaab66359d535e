import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { findProgram } from '../binaries.ts';
import { missingPackages } from './debian-packages.ts';
import { missingServers } from './go-servers.ts';

export type Route = 'docker' | 'native';

export type Preflight = {
  route: Route;
  why: string;
  system: string;
  freeDiskGb: number;
  /** What the machine lacks and a first run gets. */
  lacks: string[];
  estimate: string;
  problems: string[];
};

const GB = 1024 ** 3;
const DISK_GB = { first: 4, later: 1 };
const MEMORY_GB = 2;

/** Looks at the machine before anything is changed on it. */
export function preflight(
  root: string,
  asked: Route | undefined,
  purpose: { test: boolean },
): Preflight {
  const docker = asked === 'native' ? undefined : dockerProblem();
  const route: Route = asked ?? (docker === undefined ? 'docker' : 'native');
  const servers = route === 'native' ? missingServers() : [];
  const packages =
    route === 'native' ? missingPackages({ build: servers.length > 0, test: purpose.test }) : [];
  const lacks = [...packages.map((need) => `${need.package} (${need.why})`), ...servers];
  const disk = statfsSync(root);
  const freeDiskGb = (disk.bavail * disk.bsize) / GB;
  const needGb = lacks.length > 0 ? DISK_GB.first : DISK_GB.later;
  const problems: string[] = [];
  if (freeDiskGb < needGb) {
    problems.push(
      `Only ${freeDiskGb.toFixed(1)} GB of disk are free; ${needGb} GB are needed. Free some space.`,
    );
  }
  if (totalmem() / GB < MEMORY_GB) {
    problems.push(`This machine has less than ${MEMORY_GB} GB of memory. Use a larger one.`);
  }
  if (route === 'native' && process.platform !== 'linux') {
    problems.push(
      `Without Docker only Linux works, and this is ${process.platform}. Start Docker Desktop.`,
    );
  }
  return {
    route,
    why: reason(asked, docker),
    system: `${process.platform} ${process.arch}, ${cpus().length} cores, ${(totalmem() / GB).toFixed(0)} GB, Node.js ${process.version}`,
    freeDiskGb,
    lacks,
    estimate: estimate(route, servers.length),
    problems,
  };
}

function reason(asked: Route | undefined, docker: string | undefined): string {
  if (asked !== undefined) return 'as asked for';
  return docker ?? 'a Docker engine with compose runs';
}

function estimate(route: Route, servers: number): string {
  if (route === 'docker') return 'about 5 minutes the first time, half a minute later';
  return servers > 0 ? `about ${1 + 2 * servers} minutes the first time` : 'about 20 seconds';
}

/** Why Docker cannot be used here, or undefined where it can. */
export function dockerProblem(): string | undefined {
  if (findProgram('docker') === undefined && !existsSync('/.dockerenv'))
    return 'Docker is not installed';
  const answers = (...args: string[]) =>
    spawnSync('docker', args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
  if (!answers('info')) return 'no Docker engine runs';
  if (!answers('compose', 'version')) return 'the Docker engine has no compose plugin';
  return undefined;
}
