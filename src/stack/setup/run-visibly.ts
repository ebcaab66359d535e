import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { OperatorError } from '../../platform/errors.ts';

/**
 * Runs a program that takes its time: each line of its output goes to `onLine`, the last ones explain a
 * failure.
 * @throws OperatorError with the last lines where it ends with another code than 0.
 */
export async function runVisibly(
  command: string,
  args: readonly string[],
  options: {
    cwd?: string;
    environment?: NodeJS.ProcessEnv;
    onLine?: (line: string) => void;
    remedy?: string;
  } = {},
): Promise<void> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ['inherit', 'pipe', 'pipe'],
  });
  // A Ctrl-C in the terminal reaches the child by itself; a SIGTERM comes only to us.
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', pass);
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line);
      if (tail.length > 15) tail.shift();
      options.onLine?.(line);
    });
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  process.off('SIGTERM', pass);
  if (code !== 0) {
    throw new OperatorError(
      `\`${command} ${args.join(' ')}\` ended with ${signal ?? `code ${code}`}:\n${tail.join('\n')}`,
      options.remedy === undefined ? {} : { remedy: options.remedy },
    );
  }
}
