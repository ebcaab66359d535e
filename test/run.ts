import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Runs the parts of the test command and ends with one line `N passed, N failed`. */
const parts = ['check', 'unit', 'system'] as const;
type Part = (typeof parts)[number];
type Count = { passed: number; failed: number };

const checks = ['lint', 'types', 'format:check', 'dead-code'];
const bin = path.resolve(import.meta.dirname, '../node_modules/.bin');
const environment = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}` };

const asked = process.argv.slice(2);
const unknown = asked.filter((word) => !parts.includes(word as Part));
if (unknown.length > 0) {
  process.stderr.write(`There is no part ${unknown.join(', ')}; there are ${parts.join(', ')}.\n`);
  process.exit(2);
}

let running: ChildProcess | undefined;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true;
    running?.kill(signal);
  });
}

const total: Count = { passed: 0, failed: 0 };
for (const part of parts) {
  if (interrupted || (asked.length > 0 && !asked.includes(part))) continue;
  const counted = part === 'check' ? await runChecks() : await runProject(part);
  total.passed += counted.passed;
  total.failed += counted.failed;
}
if (interrupted) total.failed += 1;
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

async function runChecks(): Promise<Count> {
  const count: Count = { passed: 0, failed: 0 };
  for (const check of checks) {
    if ((await run('npm', ['run', '--silent', check])) === 0) count.passed += 1;
    else {
      count.failed += 1;
      process.stdout.write(`✗ npm run ${check}\n`);
    }
  }
  return count;
}

/** A run that dies before it has counted anything is a failure, and so is a test that did not run. */
async function runProject(project: string): Promise<Count> {
  const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-test-'));
  const file = path.join(folder, 'result.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = await run('vitest', ['run', '--project', project, ...reporters]);
    const { numTotalTests, numPassedTests } = JSON.parse(readFileSync(file, 'utf8')) as {
      numTotalTests: number;
      numPassedTests: number;
    };
    const failed = Math.max(numTotalTests - numPassedTests, code === 0 ? 0 : 1);
    return { passed: numPassedTests, failed };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(command: string, args: string[]): Promise<number> {
  running = spawn(command, args, { stdio: 'inherit', env: environment });
  const [code] = (await once(running, 'exit')) as [number | null];
  return code ?? 1;
}
