import { setTimeout as delay } from 'node:timers/promises';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';

/** Does something again and again, `pauseMs` after it has ended, until `signal` aborts. Failures are logged. */
export async function every(
  pauseMs: number,
  log: Log,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (thrown) {
      log.warn({ err: asError(thrown) }, 'a check of the trunks failed');
    }
    // An abort ends the pause; it is no failure.
    await delay(pauseMs, undefined, { signal }).catch(() => {});
  }
}
