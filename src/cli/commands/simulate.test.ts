import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const program = path.resolve(import.meta.dirname, '../main.ts');

/** Answers every conversation with a report; each call is answered 100 ms later than the one before. */
let simulator: Server;
let url: string;
let file: string;
let held = 0;

beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'simulate-'));
  file = path.join(folder, 'call.yaml');
  writeFileSync(file, 'call: { to: "+12025550110" }\n');
  simulator = createServer((request, response) => {
    request.resume();
    held += 1;
    const ms = held * 100;
    const measures = [{ name: 'dialling_to_answer', ms }];
    const report = { name: 'A call', passed: ms <= 200, calls: [{ measures }] };
    response.end(`${JSON.stringify({ type: 'report', text: `answered after ${ms}`, report })}\n`);
  });
  simulator.listen(0, '127.0.0.1');
  await once(simulator, 'listening');
  url = `http://127.0.0.1:${(simulator.address() as AddressInfo).port}`;
  return () => rmSync(folder, { recursive: true });
});
afterAll(async () => {
  simulator.close();
  await once(simulator, 'close');
});

async function simulate(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  held = 0;
  return new Promise((resolve) => {
    const command = [program, 'simulate', '--url', url, ...args, file];
    const child = execFile(process.execPath, command, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

it('holds a conversation so many times, and sums up the times measured', async () => {
  const { code, stdout } = await simulate('--repeat', '2');
  expect(code).toBe(0);
  expect(stdout).toContain('answered after 200');
  expect(stdout).toContain('A call: 2 of 2 passed');
  expect(stdout).toMatch(/dialling to answer +2 +100 +150 +200 +200\n/);
});

it('fails when one of the times it did, and gives the summary as JSON', async () => {
  const { code, stdout } = await simulate('--repeat', '3', '--json');
  expect(code).toBe(1);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map((line) => line['passed'])).toEqual([true, true, false, undefined]);
  expect(lines.at(-1)).toEqual({
    summary: [
      {
        name: 'A call',
        runs: 3,
        passed: 2,
        hesitations: 0,
        cutIns: 0,
        measures: { dialling_to_answer: { n: 3, min: 100, median: 200, p95: 300, max: 300 } },
      },
    ],
  });
});

it('prints no summary of a single time', async () => {
  const { code, stdout } = await simulate('--json');
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(1);
});

it.each(['0', '1.5', 'often'])('refuses to repeat %s times', async (times) => {
  const { code, stderr } = await simulate('--repeat', times);
  expect(code).toBe(1);
  expect(stderr).toContain('--repeat');
  expect(held).toBe(0);
});
