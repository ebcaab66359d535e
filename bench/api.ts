import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readFileSync } from 'node:fs';
import { ApiProcess } from '../src/api/fixtures/api-process.ts';
import { Ledger } from '../src/call/ledger/ledger.ts';
import { OutboundQueue } from '../src/call/outbound-queue.ts';
import { openDatabase } from '../src/platform/database.ts';
import { createLog } from '../src/platform/log.ts';
import { connectRedis } from '../src/platform/redis.ts';
import { Releases } from '../src/platform/releases.ts';
import { PostgresServer } from '../src/platform/testing/postgres-server.ts';
import { RedisServer } from '../src/platform/testing/redis-server.ts';
import { checkLedger } from './check-ledger.ts';
import type { LoadOrder, LoadReport } from './load.ts';

const USAGE = `How many orders the api takes: npm run bench:api -- [options]

  --database NAME   postgres, or embedded (PGlite in the api)     postgres
  --rate N          orders a second, sent whether or not others
                    have been answered                            500, embedded 200
  --seconds N       how long, after the warm-up                   20
  --warm-up N       seconds of the same load that do not count    5
  --profile DIR     leave a CPU profile of the api there
  --json            print the figures as JSON

Starts a Redis, a Postgres and an api of its own. Exits 0 only if every order was accepted and is on record.
`;

const { values: options } = parseArgs({
  options: {
    database: { type: 'string', default: 'postgres' },
    rate: { type: 'string' },
    seconds: { type: 'string', default: '20' },
    'warm-up': { type: 'string', default: '5' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const embedded = options.database === 'embedded';
const rate = Number(options.rate ?? (embedded ? 200 : 500));
const seconds = Number(options.seconds);
const warmUp = Number(options['warm-up']);
const wrong =
  !['postgres', 'embedded'].includes(options.database) ||
  ![rate, seconds].every((value) => value > 0) ||
  !(warmUp >= 0);
if (options.help || wrong) {
  (wrong ? process.stderr : process.stdout).write(USAGE);
  process.exit(wrong ? 2 : 0);
}

const releases = new Releases();
try {
  const figures = await measure();
  process.stdout.write(options.json ? `${JSON.stringify(figures, null, 2)}\n` : table(figures));
  const { refused, calls } = figures;
  const whole = refused === 0 && calls.missing === 0 && calls.withoutEvent === 0;
  process.exitCode = whole ? 0 : 1;
} finally {
  await releases.run();
}

async function measure() {
  const redisServer = await RedisServer.start();
  releases.add('redis', async () => redisServer.remove());
  const postgres = embedded ? undefined : await PostgresServer.start({ durable: true });
  releases.add('postgres', async () => postgres?.remove());
  const url = await postgres?.createDatabase('bench');
  const profiling = options.profile;
  const api = await ApiProcess.start(
    {
      REDIS_URL: redisServer.url,
      LOG_LEVEL: 'info',
      ...(url === undefined ? {} : { DATABASE_URL: url }),
    },
    profiling === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profiling)}`],
  );
  releases.add('api', async () => api.remove());

  const [loadBefore = 0] = loadavg();
  const cpuBefore = cpuSeconds(api.pid);
  const report = await load({ url: api.url, key: api.key, rate, seconds, warmUp });
  const cpuUsed = cpuSeconds(api.pid) - cpuBefore;
  const [loadAfter = 0] = loadavg();

  const log = createLog('bench', 'error');
  const redis = connectRedis(redisServer.url, log, 'patient');
  releases.add('client', () => redis.disconnect());
  const queue = new OutboundQueue(redis, (error) => log.error({ err: error }, 'queue failed'));
  const { waiting: inQueue } = await queue.depth();
  await queue.close();
  // One process at a time has the files of the embedded database.
  await api.end('SIGTERM');
  const folder = path.join(api.dataDir, 'database');
  const database = await openDatabase({ url, folder, log });
  releases.add('database', async () => database.close());
  const calls = await checkLedger(new Ledger(database.db, 'default'), report.accepted);

  const sorted = report.latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 10) / 10;
  const accepted = report.statuses[200] ?? 0;
  return {
    date: new Date().toISOString(),
    database: options.database,
    rate,
    seconds,
    accepted,
    refused: sorted.length - accepted,
    statuses: report.statuses,
    latencyMs: { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) },
    /** How late the load itself was at worst: latencies count from when a request should have left. */
    loadLateMs: Math.round(report.latestMs),
    apiCpuShare: Math.round((cpuUsed / (seconds + warmUp)) * 100) / 100,
    calls: { ...calls, accepted: report.accepted.length, inQueue },
    machine: {
      cores: cpus().length,
      model: cpus()[0]?.model ?? '',
      node: process.version,
      loadBefore,
      loadAfter,
    },
  };
}

async function load(order: LoadOrder): Promise<LoadReport> {
  const child = fork(path.join(import.meta.dirname, 'load.ts'), { serialization: 'advanced' });
  releases.add('load', () => void child.kill('SIGKILL'));
  child.send(order);
  const answer = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (typeof answer[0] !== 'object') throw new Error('the load ended without a report');
  return answer[0] as LoadReport;
}

/** Processor time that a process has used. NaN where there is no /proc. */
function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}

function table(figures: Awaited<ReturnType<typeof measure>>): string {
  const { latencyMs, calls, machine } = figures;
  const lines: [string, string | number][] = [
    ['database', figures.database],
    ['orders a second, for', `${figures.rate}, ${figures.seconds} s`],
    ['accepted, refused', `${figures.accepted}, ${figures.refused}`],
    ['p50, p90, p99 (ms)', `${latencyMs.p50}, ${latencyMs.p90}, ${latencyMs.p99}`],
    ['p99.9, longest (ms)', `${latencyMs.p999}, ${latencyMs.max}`],
    ['load late by at most (ms)', figures.loadLateMs],
    ['cores that the api used', figures.apiCpuShare],
    ['accepted, warm-up included', calls.accepted],
    ['on record, in the queue', `${calls.calls}, ${calls.inQueue}`],
    ['accepted and not on record', calls.missing],
    ['on record without its event', calls.withoutEvent],
    [
      'load of the machine',
      `${machine.loadBefore.toFixed(1)} to ${machine.loadAfter.toFixed(1)}, ${machine.cores} cores`,
    ],
  ];
  return lines.map(([name, value]) => `${name.padEnd(28)} ${value}\n`).join('');
}
