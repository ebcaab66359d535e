import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { ownCpuMs, pidsOfTrees, useOfTrees } from './process-tree.ts';

const MB = 1024 * 1024;

/** A parent with a child that holds 64 MB; both say when they are there. */
const CHILD = `const held = Buffer.alloc(64 * ${MB}, 1); console.log(process.pid); setInterval(() => held, 1000);`;
const PARENT = `require('node:child_process').spawn(process.execPath, ['-e', process.env.CHILD], { stdio: 'inherit' }); setInterval(() => {}, 1000);`;

describe('a tree of processes', () => {
  const started: number[] = [];
  afterEach(() => {
    for (const pid of started.splice(0)) process.kill(-pid, 'SIGKILL');
  });

  async function startTree(): Promise<{ parent: number; child: number }> {
    const parent = spawn(process.execPath, ['-e', PARENT], {
      env: { ...process.env, CHILD },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    started.push(parent.pid ?? 0);
    return { parent: parent.pid ?? 0, child: Number(line) };
  }

  it('is found from its root, and counts the memory and time of all its processes', async () => {
    const { parent, child } = await startTree();
    expect(new Set(pidsOfTrees([parent]))).toEqual(new Set([parent, child]));
    const { processes, pssBytes, cpuMs } = useOfTrees([parent]);
    expect(processes).toBe(2);
    expect(pssBytes).toBeGreaterThan(64 * MB);
    expect(pssBytes).toBeLessThan(400 * MB);
    expect(cpuMs).toBeGreaterThanOrEqual(ownCpuMs(parent) + ownCpuMs(child));
  });

  it('is nothing where its root has ended', async () => {
    const ended = spawn(process.execPath, ['-e', '']);
    await once(ended, 'exit');
    expect(useOfTrees([ended.pid ?? 0])).toEqual({ processes: 0, pssBytes: 0, cpuMs: 0 });
  });
});
