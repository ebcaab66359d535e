import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../platform/errors.ts';
import { dataFolder } from './data-folder.ts';

/**
 * Starts a supervisor in the background and waits until it says that all is ready.
 * @throws OperatorError with its last lines where it ends instead.
 */
export async function waitForStack(
  root: string,
  start: (log: string) => ChildProcess,
): Promise<void> {
  const folder = path.join(dataFolder(root), 'logs');
  mkdirSync(folder, { recursive: true });
  const log = path.join(folder, `stack.log`);
  const before = sizeOf(log);
  const child = start(log);
  for (;;) {
    const said = textOf(log).slice(before);
    if (said.includes('Trunkline is up')) {
      process.stdout.write(
        `${said}\nIt runs in the background: \`trunkline ps\`, \`trunkline logs -f\`, \`trunkline down\`.\n`,
      );
      return;
    }
    if (child.exitCode !== null) throw new OperatorError(`The stack did not start.\n${said}`);
    await delay(200);
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function sizeOf(file: string): number {
  return textOf(file).length;
}
