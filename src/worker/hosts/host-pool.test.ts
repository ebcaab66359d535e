import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../platform/log.ts';
import type { HostCall } from './host-message.ts';
import { HostPool, type PoolOptions } from './host-pool.ts';
import type { HostRun, LossCause } from './host-process.ts';

const WAIT = { timeout: 30_000, interval: 20 };
const pids = new Set<number>();
let pool: HostPool | undefined;

afterEach(async () => {
  delete process.env['TINY_HOST_BROKEN'];
  note();
  pool?.killNow();
  await vi.waitFor(() => expect([...pids].filter(isAlive)).toEqual([]), WAIT);
  pids.clear();
});

/** Remembers the processes, so that each is known to be gone at the end. */
function note(): void {
  for (const { pid } of pool?.hosts ?? []) if (pid !== undefined) pids.add(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function open(options: Partial<PoolOptions> = {}) {
  const lost: { runs: HostRun[]; cause: LossCause }[] = [];
  const over: string[] = [];
  const recycled: string[] = [];
  const noticed: string[] = [];
  const opened = new HostPool({
    main: path.join(import.meta.dirname, 'fixtures/tiny-host.ts'),
    id: 'test',
    hosts: 2,
    callsPerHost: 2,
    recycle: { rssBytes: 5000, ageMs: 3_600_000, calls: 1000 },
    fullLagMs: 1000,
    log: createLog('test', 'fatal'),
    times: { pingMs: 20, stuckMs: 500, startMs: 30_000 },
    events: {
      lost: (runs, cause) => lost.push({ runs, cause }),
      over: ({ run }) => over.push(run),
      recycled: (reason) => recycled.push(reason),
      noticed: (sign) => noticed.push(sign),
    },
    ...options,
  });
  pool = opened;
  await vi.waitFor(() => expect(ready(opened).length).toBe(options.hosts ?? 2), WAIT);
  note();
  return { pool: opened, lost, over, recycled, noticed };
}

const ready = (of: HostPool) => of.hosts.filter(({ state }) => state === 'ready');

function call(run: string, room = ''): HostCall {
  return { run, job: run, room, metadata: '', url: '', token: '' };
}

const soon = { withinMs: 10_000 };

/** The pid of the host that has a run. */
function hostOf(of: HostPool, run: string): number {
  const host = of.hosts.find(({ runs }) => runs.some((one) => one.run === run));
  if (host?.pid === undefined) throw new Error(`no host has ${run}`);
  return host.pid;
}

describe('HostPool', () => {
  it('spreads calls evenly, and knows how many it takes', async () => {
    const { pool: hosts, over } = await open();
    expect(hosts.vacancies).toBe(4);
    for (const run of ['a', 'b', 'c']) expect(await hosts.place(call(run), soon)).toBe(true);
    expect(hosts.vacancies).toBe(1);
    expect(new Set(hosts.hosts.map(({ calls }) => calls))).toEqual(new Set([1, 2]));
    expect(await hosts.place(call('d'), soon)).toBe(true);
    expect(await hosts.place(call('e'), { withinMs: 50 })).toBe(false);
    expect(await hosts.place(call('e'), { ...soon, beyondLimit: true })).toBe(true);
    hosts.tell('stop', 'a');
    await vi.waitFor(() => expect(over).toEqual(['a']), WAIT);
    expect(hosts.runs.map(({ run }) => run).toSorted()).toEqual(['b', 'c', 'd', 'e']);
  });

  it('tells of the calls of a host that dies, and starts another', async () => {
    const { pool: hosts, lost } = await open();
    for (const run of ['a', 'b', 'c']) await hosts.place(call(run), soon);
    await vi.waitFor(() => expect(hosts.runs.every(({ callId }) => callId)).toBe(true), WAIT);
    const dead = hostOf(hosts, 'a');
    process.kill(dead, 'SIGKILL');
    await vi.waitFor(() => expect(lost).toHaveLength(1), WAIT);
    expect(lost[0]?.cause).toBe('host_died');
    expect(lost[0]?.runs).toMatchObject([
      { run: 'a', callId: 'call_tiny', ended: false },
      { run: 'c', callId: 'call_tiny', ended: false },
    ]);
    await vi.waitFor(() => expect(ready(hosts)).toHaveLength(2), WAIT);
    expect(hosts.hosts.map(({ pid }) => pid)).not.toContain(dead);
    expect(hosts.runs.map(({ run }) => run)).toEqual(['b']);
    note();
  });

  it('kills a host that does not answer', async () => {
    const { pool: hosts, lost } = await open();
    await hosts.place(call('a'), soon);
    process.kill(hostOf(hosts, 'a'), 'SIGSTOP');
    await vi.waitFor(() => expect(lost).toHaveLength(1), WAIT);
    expect(lost).toMatchObject([{ cause: 'host_stuck', runs: [{ run: 'a' }] }]);
    await vi.waitFor(() => expect(ready(hosts)).toHaveLength(2), WAIT);
    note();
  });

  it.each([
    ['grows', 'large'],
    ['fails', 'unhandled_rejection'],
    ['leaks', 'leaking'],
  ])('replaces a host that %s, and leaves its calls to it', async (room, reason) => {
    const { pool: hosts, recycled, lost, over } = await open({ hosts: 1, callsPerHost: 4 });
    await hosts.place(call('a', room), soon);
    const old = hostOf(hosts, 'a');
    await vi.waitFor(() => {
      hosts.recycleIfDue();
      expect(recycled).toEqual([reason]);
    }, WAIT);
    await vi.waitFor(
      () => expect(hosts.hosts.map(({ state }) => state)).toContain('retiring'),
      WAIT,
    );
    note();
    await hosts.place(call('b'), soon);
    expect(hostOf(hosts, 'b')).not.toBe(old);
    expect(hostOf(hosts, 'a')).toBe(old);
    hosts.tell('stop', 'a');
    await vi.waitFor(() => expect(isAlive(old)).toBe(false), WAIT);
    await vi.waitFor(() => expect(hosts.hosts).toHaveLength(1), WAIT);
    expect([over, lost]).toEqual([['a'], []]);
  });

  it('passes on what is wrong within a call, which stays where it is', async () => {
    const { pool: hosts, noticed, recycled } = await open();
    await hosts.place(call('a', 'mute'), soon);
    await vi.waitFor(() => expect(noticed).toEqual(['caller_soundless']), WAIT);
    expect(hosts.runs.map(({ run }) => run)).toEqual(['a']);
    expect(recycled).toEqual([]);
  });

  it('gives no call to a host whose event loop is late', async () => {
    const { pool: hosts } = await open();
    await hosts.place(call('a', 'lags'), soon);
    await vi.waitFor(() => expect(hosts.vacancies).toBe(2), WAIT);
    for (const run of ['b', 'c']) await hosts.place(call(run), soon);
    expect(hostOf(hosts, 'b')).toBe(hostOf(hosts, 'c'));
    expect(hosts.vacancies).toBe(0);
  });

  it('has a process for each call where it is to, and one more ready', async () => {
    const { pool: hosts, lost } = await open({ isolated: true, hosts: 1, callsPerHost: 1 });
    const runs = ['a', 'b', 'c'];
    const placed = await Promise.all(runs.map((run) => hosts.place(call(run), soon)));
    expect(placed).toEqual([true, true, true]);
    expect(new Set(runs.map((run) => hostOf(hosts, run))).size).toBe(3);
    await vi.waitFor(() => expect(ready(hosts)).toHaveLength(1), WAIT);
    note();
    for (const run of runs) hosts.tell('stop', run);
    await vi.waitFor(() => expect(hosts.hosts).toHaveLength(1), WAIT);
    expect(lost).toEqual([]);
  });

  it('tries again, less and less often, where hosts do not start', async () => {
    const { pool: hosts, lost } = await open({ hosts: 1 });
    process.env['TINY_HOST_BROKEN'] = '1';
    process.kill(hosts.hosts[0]?.pid ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(lost.length).toBeGreaterThanOrEqual(3), WAIT);
    expect(await hosts.place(call('a'), { withinMs: 10 })).toBe(false);
    delete process.env['TINY_HOST_BROKEN'];
    expect(await hosts.place(call('a'), { withinMs: 30_000 })).toBe(true);
    note();
  });

  it('ends each host with its last call when it is retired', async () => {
    const { pool: hosts, lost } = await open();
    await hosts.place(call('a'), soon);
    await hosts.close(10);
    await vi.waitFor(() => expect(hosts.hosts).toHaveLength(1), WAIT);
    hosts.tell('stop', 'a');
    await hosts.close(30_000);
    expect(hosts.hosts).toEqual([]);
    expect(lost).toEqual([]);
  });
});
