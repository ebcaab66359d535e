import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';

/**
 * For a test file in which synthesis fails: the framework leaves the promise of a failed synthesis
 * unhandled after it has reported the failure, and vitest would count that as an error of its own.
 */
export function tolerateRejections(): void {
  const listeners = process.listeners('unhandledRejection');
  beforeAll(() => {
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', () => undefined);
  });
  afterAll(async () => {
    // The last ones are told in the next turn of the event loop.
    await setImmediate();
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  });
}
