/** A wait that came to its limit; the message says what was awaited. */
export class WaitedTooLong extends Error {
  constructor(limitMs: number, what: string) {
    super(`waited ${limitMs.toLocaleString('en')} ms for ${what}`);
    this.name = 'WaitedTooLong';
  }
}

/**
 * Waits for something at most so long. `start` gets a signal that aborts at the limit and when `signal`
 * does, and must then let go of whatever it listens to.
 *
 * @throws {WaitedTooLong} at the limit; the reason of `signal` when it aborts.
 */
export async function within<T>(
  limitMs: number,
  what: string,
  start: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new WaitedTooLong(limitMs, what)), limitMs);
  const both = AbortSignal.any([limit.signal, signal]);
  try {
    const work = start(both);
    work.catch(() => undefined);
    return await Promise.race([work, aborted(both)]);
  } finally {
    clearTimeout(timer);
    // Ends whatever still listens, also where the wait was successful.
    limit.abort(new Error('the wait is over'));
  }
}

/** Rejects with the signal's reason when it aborts. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

/** Resolves after so long; rejects with the signal's reason when it aborts before. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', fail);
      resolve();
    }, durationMs);
    const fail = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', fail, { once: true });
  });
}
