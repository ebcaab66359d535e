import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSameProcess, startTicksOf } from '../src/stack/state-file.ts';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

let stack: StackFixture;
beforeAll(async () => {
  stack = await StackFixture.start();
});
afterAll(() => stack.stop());

describe('trunkline up', () => {
  it('says where everything is in one line, and all of it is healthy', async () => {
    const response = await stack.request('GET', '/health');
    expect(response.status).toBe(200);
    const health = (await response.json()) as { status: string; services: Record<string, unknown> };
    expect(health.status, JSON.stringify(health)).toBe('healthy');
    expect(Object.keys(health.services)).toEqual(
      expect.arrayContaining(['livekit', 'redis', 'sip', 'database', 'agents']),
    );
    expect(stack.info.processes.map(({ name }) => name).toSorted()).toEqual(
      [
        'api',
        'dispatcher',
        'livekit-server',
        'livekit-sip',
        'redis',
        'simulator',
        'trunk-monitor',
        'worker',
      ].toSorted(),
    );
  });

  it('is seen by ps, and explained by config without a secret', async () => {
    const ps = await stack.run('ps --json');
    expect(ps.code, ps.stderr).toBe(0);
    const rows = JSON.parse(ps.stdout) as { name: string; state: string; restarts: number }[];
    expect(rows).toHaveLength(8);
    for (const row of rows) expect(row).toMatchObject({ state: 'running', restarts: 0 });
    const config = await stack.run('config');
    expect(config.stdout).toMatch(/API_KEY +\*+ +environment/);
    expect(config.stdout).not.toContain(stack.info.apiKey);
    expect(config.stdout).not.toContain(stack.info.livekitApiSecret);
  });

  it('shows calls as they happen with watch, and a process’s log with logs, numbers masked in both', async () => {
    const watch = stack.spawn('watch');
    let seen = '';
    watch.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    try {
      // One call after the other, until watch has listened to one from its beginning to its end.
      await eventually(async () => {
        const placed = await stack.request('POST', '/api/outbound-call', {
          to_number: '+12025550186',
          personality: 'appointment_reminder',
        });
        const id = placed.headers.get('x-call-id') ?? '';
        await eventually(async () => {
          const call = (await (await stack.request('GET', `/api/calls/${id}`)).json()) as {
            status: string;
          };
          return call.status === 'ended' ? true : undefined;
        });
        const whole = /dialling over simulator[^]*ended: busy/.test(seen);
        return whole ? true : undefined;
      });
    } finally {
      watch.kill('SIGINT');
      await once(watch, 'exit');
    }
    expect(watch.exitCode).toBe(0);
    const logs = await stack.run('logs --lines 500 livekit-sip');
    expect(logs.stdout).toContain('INVITE');
    expect(seen + logs.stdout).not.toContain('2025550186');
    expect((await stack.run('logs no-such')).stderr).toContain('There are: api');
  });

  it('refuses a second stack on the same data folder, and says what to do', async () => {
    const second = await stack.run('up --json --ports auto');
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('already running');
    expect(second.stderr).toContain('trunkline down');
  });

  it('names the ports that are in use and the remedy', async () => {
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'trunkline-second-'));
    const second = await stack.run('up', { DATA_DIR: elsewhere });
    rmSync(elsewhere, { recursive: true });
    expect(second.code, second.stdout).toBe(1);
    expect(second.stderr).toContain(`${stack.info.ports['livekit']} (livekit)`);
    expect(second.stderr).toContain('--ports auto');
  });

  it('starts a process again that was killed', async () => {
    const pid = stack.pidOf('trunk-monitor');
    process.kill(pid, 'SIGKILL');
    const restarted = await eventually(async () => {
      const { stdout } = await stack.run('ps --json');
      const rows = JSON.parse(stdout) as {
        name: string;
        pid: number;
        restarts: number;
        state: string;
      }[];
      const row = rows.find(({ name }) => name === 'trunk-monitor');
      return row && row.pid !== pid && row.state === 'running' ? row : undefined;
    });
    expect(restarted.restarts).toBe(1);
  });

  it('leaves nothing behind after SIGTERM', async () => {
    const { stdout } = await stack.run('ps --json');
    const pids = (JSON.parse(stdout) as { pid: number }[]).map(
      ({ pid }) => [pid, startTicksOf(pid)] as const,
    );
    expect(pids.length).toBe(8);
    expect(await stack.stop()).toBe(0);
    expect(pids.filter(([pid, ticks]) => isSameProcess(pid, ticks))).toEqual([]);
    expect(existsSync(stack.info.dataDir)).toBe(false);
  });
});

describe('a supervisor that was killed', () => {
  it('is cleaned up after by the next one', async () => {
    const first = await StackFixture.start();
    const pids = first.info.processes.map(({ pid }) => [pid, startTicksOf(pid)] as const);
    first.supervisor.kill('SIGKILL');
    await eventually(async () => first.supervisor.signalCode ?? undefined);
    const down = await first.run('down');
    expect(down.stdout).toContain('by force');
    expect(pids.filter(([pid, ticks]) => isSameProcess(pid, ticks))).toEqual([]);
    await first.stop();
  });
});
