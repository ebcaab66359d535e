import { ConfigError } from './config.ts';
import { asError, OperatorError } from './errors.ts';
import type { Log } from './log.ts';
import { Releases } from './releases.ts';

/**
 * Runs a long-lived process: `start` acquires and registers releases; the first SIGTERM or SIGINT releases
 * everything and exits 0; the second exits at once. SIGUSR2 has it log everything, and a second one as before,
 * without a restart. A failed start releases what it had and exits 1 with
 * one line on standard error.
 */
export async function runService(
  log: Log,
  start: (releases: Releases) => Promise<void>,
): Promise<void> {
  const releases = new Releases();
  let stopping = false;
  const stop = (code: number) => {
    if (stopping) process.exit(code === 0 ? 1 : code);
    stopping = true;
    releases
      .run()
      .catch((thrown: unknown) => log.error({ err: asError(thrown) }, 'could not stop cleanly'))
      .finally(() => process.exit(code));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'stopping');
      stop(0);
    });
  }
  let quiet: string | undefined;
  process.on('SIGUSR2', () => {
    [log.level, quiet] = quiet === undefined ? ['debug', log.level] : [quiet, undefined];
    log.info({ level: log.level }, 'the level of the log was changed');
  });
  try {
    await start(releases);
    log.info('ready');
  } catch (thrown) {
    log.error({ err: asError(thrown) }, 'could not start');
    process.stderr.write(`${explain(thrown)}\n`);
    stop(1);
  }
}

/** What to show a person of an error: message and remedy where it is theirs to mend, the stack otherwise. */
export function explain(thrown: unknown): string {
  if (thrown instanceof ConfigError) return thrown.message;
  if (thrown instanceof OperatorError) {
    return thrown.remedy ? `${thrown.message}\n  ${thrown.remedy}` : thrown.message;
  }
  const error = asError(thrown);
  return error.stack ?? error.message;
}
