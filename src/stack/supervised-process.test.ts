import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isSameProcess, startTicksOf } from './state-file.ts';
import { SupervisedProcess, type ProcessSpec } from './supervised-process.ts';

let folder: string;
let child: SupervisedProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'supervised-'));
});
afterEach(async () => {
  await child?.stop();
  rmSync(folder, { recursive: true });
});

function supervise(
  script: string,
  stop: ProcessSpec['stop'] = [{ signal: 'SIGTERM', withinMs: 200 }],
  leavesGroup = false,
) {
  child = new SupervisedProcess(
    {
      name: 'part',
      command: '/bin/sh',
      args: ['-c', script],
      environment: process.env,
      ready: async () => true,
      stop,
      leavesGroup,
    },
    { cwd: folder, logPath: path.join(folder, 'part.log') },
  );
  child.start();
  return child;
}

const logged = () => readFileSync(path.join(folder, 'part.log'), 'utf8');

describe('a supervised process', () => {
  it('is started again when it ends', async () => {
    const part = supervise('echo alive; exit 3');
    await vi.waitFor(() => expect(part.restarts).toBeGreaterThanOrEqual(2), { timeout: 10_000 });
    expect(logged()).toContain('ended (code 3); it is started again');
  });

  it('takes what it has started with it, also what ignores the signal', async () => {
    const part = supervise(
      "trap '' TERM; (trap '' TERM; sleep 1000) & echo child $!; wait; sleep 1000",
    );
    const grandchild = await vi.waitFor(() => {
      const pid = Number(/child (\d+)/.exec(logged())?.[1]);
      expect(pid).toBeGreaterThan(0);
      return pid;
    });
    const ticks = startTicksOf(grandchild);
    expect(isSameProcess(grandchild, ticks)).toBe(true);
    await part.stop();
    await vi.waitFor(() => expect(isSameProcess(grandchild, ticks)).toBe(false));
    expect(part.state).toBe('stopped');
  });

  it('may leave what it has started to itself when it dies, until it is stopped', async () => {
    const part = supervise(
      'sleep 1000 & echo child $!; [ -f died ] && wait; touch died; exit 1',
      [],
      true,
    );
    const grandchild = await vi.waitFor(() => {
      const pid = Number(/child (\d+)/.exec(logged())?.[1]);
      expect(pid).toBeGreaterThan(0);
      return pid;
    });
    const ticks = startTicksOf(grandchild);
    await vi.waitFor(() => expect(part.restarts).toBe(1), { timeout: 10_000 });
    expect(isSameProcess(grandchild, ticks)).toBe(true);
    await part.stop();
    await vi.waitFor(() => expect(isSameProcess(grandchild, ticks)).toBe(false));
  });

  it('is not started again after it was stopped while it waited for a restart', async () => {
    const part = supervise('exit 1');
    await vi.waitFor(() => expect(part.state).toBe('restarting'));
    await part.stop();
    const { restarts } = part;
    expect([part.state, restarts]).toEqual(['stopped', part.restarts]);
  });

  it('gets its signals one after the other', async () => {
    const part = supervise(
      "trap 'echo first' INT; trap 'echo second; exit 0' TERM; echo on; while :; do sleep 0.05; done",
      [
        { signal: 'SIGINT', withinMs: 300 },
        { signal: 'SIGTERM', withinMs: 10_000 },
      ],
    );
    await vi.waitFor(() => expect(logged()).toContain('on'));
    await part.stop();
    expect(logged()).toMatch(/first\n(.*\n)*second/);
  });

  it('writes no telephone number to its log', async () => {
    supervise('echo "INVITE sip:+12025550123@127.0.0.1"; sleep 1000');
    await vi.waitFor(() => expect(logged()).toContain('INVITE'));
    expect(logged()).not.toContain('2025550123');
  });

  it('says why it could not be started at all', async () => {
    child = new SupervisedProcess(
      {
        name: 'part',
        command: path.join(folder, 'no-such-program'),
        args: [],
        environment: {},
        ready: async () => false,
        stop: [],
      },
      { cwd: folder, logPath: path.join(folder, 'part.log') },
    );
    child.start();
    await vi.waitFor(() => expect(logged()).toContain('ENOENT'));
  });
});
