import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from '../platform/errors.ts';
import { sourceRoot } from './source-root.ts';

const run = promisify(execFile);

/**
 * Runs `sip-management ensure` against the stack.
 * @throws OperatorError with what it said.
 */
export async function provisionTrunks(
  environment: Record<string, string | undefined>,
): Promise<void> {
  const program = path.join(sourceRoot, 'src/cli/main.ts');
  try {
    await run(process.execPath, [program, 'trunk', 'ensure', '--json', '--lenient'], {
      env: environment,
    });
  } catch (thrown) {
    const { stderr, stdout } = thrown as { stderr?: string; stdout?: string };
    throw new OperatorError(
      `The trunks could not be made:\n${stderr || stdout || String(thrown)}`,
      {
        remedy: '`sip-management ensure --dry-run` shows what it would do.',
        cause: thrown,
      },
    );
  }
}
