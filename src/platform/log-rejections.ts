import type { Log } from './log.ts';

/** Frames of the stack that are written down: enough to find the place. */
const FRAMES = 5;

/**
 * Writes down every promise of this process that fails with nobody listening, and goes on: by Node's
 * default one of them ends the process and its call. The framework leaves some, such as that of a
 * ChunkedStream that has already told of its failure by an event.
 */
export function logRejections(log: Log, source: NodeJS.EventEmitter = process): void {
  let count = 0;
  source.on('unhandledRejection', (reason: unknown) => {
    count += 1;
    log.warn({ ...describe(reason), count }, 'a promise failed unnoticed');
  });
}

/** What failed and where. Not the message, which may quote what was said. */
function describe(reason: unknown): Record<string, unknown> {
  if (!(reason instanceof Error)) return { failure: typeof reason };
  const status = 'statusCode' in reason ? reason.statusCode : undefined;
  const stack = reason.stack ?? '';
  const at = stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, FRAMES)
    .map((line) => line.trim());
  return { failure: reason.name, status, at };
}
