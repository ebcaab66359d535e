import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../test/eventually.ts';
import { loopReport, makeProbes } from './probes.ts';

describe('probes of event loops', () => {
  const releases: (() => void)[] = [];
  afterEach(() => {
    for (const release of releases.splice(0).toReversed()) release();
  });

  it('tell of a process of an agent how late its event loop was', async () => {
    const probes = makeProbes();
    releases.push(probes.remove);
    const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-probed-'));
    releases.push(() => rmSync(folder, { recursive: true }));
    const program = path.join(folder, 'worker.mjs');
    const busy =
      'setInterval(() => { const end = Date.now() + 200; while (Date.now() < end); }, 300);';
    writeFileSync(program, busy);
    const started = Date.now();
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, ...probes.environment },
      stdio: 'ignore',
    });
    releases.push(() => child.kill('SIGKILL'));
    const pids = [child.pid ?? 0];
    const report = await eventually(() => probes.report(pids, started, Date.now() + 1));
    expect(report.lagMaxMs).toBeGreaterThan(100);
    expect(probes.report([1], started, Date.now() + 1)).toBeUndefined();
  });

  it('take of several processes the one that collected most garbage', () => {
    const sample = { at: 0, lagP99Ms: 5, lagMaxMs: 9, longestGarbageMs: 3, heapUsed: 0 };
    const report = loopReport([
      { ...sample, pid: 1, garbageMs: 10 },
      { ...sample, pid: 1, garbageMs: 30 },
      { ...sample, pid: 2, garbageMs: 5, lagMaxMs: 60 },
    ]);
    expect(report).toEqual({ lagP99Ms: 5, lagMaxMs: 60, garbageShare: 0.02, longestGarbageMs: 3 });
  });
});
