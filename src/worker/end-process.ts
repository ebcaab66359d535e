import type { Log } from '../platform/log.ts';

/** Longest time for the framework to leave the room and end the process; 100 ms are usual. */
const LEAVE_MS = 5000;

/**
 * Sees to it that a job process whose call is over ends: the framework alone waits up to a minute for a
 * session that does not close, and holds a slot of the worker meanwhile.
 */
export function endProcess(log: Log): void {
  const timer = setTimeout(() => {
    log.warn('a call process did not end of itself');
    process.exit(0);
  }, LEAVE_MS);
  timer.unref();
}
