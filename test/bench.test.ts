import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Results } from '../bench/results.ts';

const root = path.resolve(import.meta.dirname, '..');
const page = path.join(root, 'docs/performance.md');

async function bench(
  args: string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [path.join(root, 'bench/main.ts'), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

describe('npm run bench', () => {
  it('measures real calls, prints their figures, and leaves no process and no document behind', async () => {
    const pageBefore = readFileSync(page, 'utf8');
    const args = ['--only', 'burst', '--systems', 'trunkline', '--calls', '2', '--quick', '--json'];
    const { code, stdout, stderr } = await bench(args);
    expect(stderr).toContain('burst, Trunkline');
    const { machine, results } = JSON.parse(stdout) as Results;
    expect(machine.cores).toBeGreaterThan(0);
    expect(results).toHaveLength(1);
    const [result] = results;
    if (result?.figures.measure !== 'burst') throw new Error(`not measured: ${stderr}`);
    const { calls, answered, heard, answerMs, answersMs } = result.figures.value;
    expect({ calls, answered, heard }).toEqual({ calls: 2, answered: 2, heard: 2 });
    expect(answerMs?.min).toBeGreaterThan(0);
    expect(answersMs).toHaveLength(2);
    expect(code).toBe(0);
    expect(readFileSync(page, 'utf8')).toBe(pageBefore);
    expect(readdirSync('/proc').filter(isOfBench)).toEqual([]);
  }, 300_000);

  it('explains itself, with examples', async () => {
    const { code, stdout } = await bench(['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples:\n {2}npm run bench {2}/);
  });

  it('says what is wrong with what it was asked', async () => {
    const { code, stderr } = await bench(['--only', 'speed']);
    expect(code).toBe(2);
    expect(stderr).toContain('--only knows no speed; there are burst,');
  });
});

/** Every process of a stack that the bench started carries its probe in the environment. */
function isOfBench(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`--import=${root}/bench/probe`);
  } catch {
    // No process, one of somebody else, or one that has just ended.
    return false;
  }
}
