import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Runs the parts of the test command and ends with one line `N passed, N failed`. */
const parts = ['check', 'unit', 'system'] as const;
type Part = (typeof parts)[number];

const checks = ['lint', 'types', 'format:check', 'dead-code'];
const bin = path.resolve(import.meta.dirname, '../node_modules/.bin');
const environment = { ...process.env, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` };

const asked = process.argv.slice(2);
const unknown = asked.filter((word) => !parts.includes(word as Part));
if (unknown.length > 0) {
  process.stderr.write(`There is no part ${unknown.join(', ')}; there are ${parts.join(', ')}.\n`);
  process.exit(2);
}

const total = { passed: 0, failed: 0 };
for (const part of parts) {
  if (asked.length > 0 && !asked.includes(part)) continue;
  const counted = part === 'check' ? runChecks() : runProject(part);
  total.passed += counted.passed;
  total.failed += counted.failed;
}
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

function runChecks(): { passed: number; failed: number } {
  const failed = checks.filter((check) => run('npm', ['run', '--silent', check]) !== 0);
  for (const check of failed) process.stdout.write(`✗ npm run ${check}\n`);
  return { passed: checks.length - failed.length, failed: failed.length };
}

/** A run that dies before it has counted anything is a failure. */
function runProject(project: string): { passed: number; failed: number } {
  const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-test-'));
  const file = path.join(folder, 'result.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = run('vitest', ['run', '--project', project, ...reporters]);
    const result = JSON.parse(readFileSync(file, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
      numTotalTests: number;
      numFailedTestSuites: number;
    };
    const unfinished = result.numTotalTests - result.numPassedTests;
    const failed = Math.max(unfinished, code === 0 ? 0 : 1);
    return { passed: result.numPassedTests, failed };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string, args: string[]): number {
  return spawnSync(command, args, { stdio: 'inherit', env: environment }).status ?? 1;
}
