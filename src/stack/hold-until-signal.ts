import type { Stack } from './stack.ts';

/**
 * Starts a stack and holds it until the first SIGINT, SIGTERM or SIGHUP, or until `finished` aborts, then
 * stops it in order; a failed start stops it too and is thrown. A second signal does not cut the stopping
 * short: its steps have limits of their own, and a process left behind would be worse.
 */
export async function holdUntilSignal(
  stack: Stack,
  start: () => Promise<void>,
  finished: AbortSignal = new AbortController().signal,
): Promise<void> {
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted = true;
      end();
    });
  }
  finished.addEventListener('abort', () => end());
  // Signal handlers alone do not keep a process alive.
  const hold = setInterval(() => undefined, 1 << 30);
  const starting = start();
  try {
    await Promise.race([starting.then(() => over), over]);
  } finally {
    clearInterval(hold);
    await stack.stop();
    // A start that was interrupted fails because its stack is gone: that is no news.
    await starting.catch((thrown: unknown) => {
      if (!interrupted) throw thrown;
    });
  }
}
