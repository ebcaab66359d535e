import { readFileSync } from 'node:fs';

/** The kernel counts processor time in hundredths of a second, on every architecture that Node.js runs on. */
const TICK_MS = 10;

/** The main thread of a process, which is the one that runs JavaScript. */
export type ThreadState = {
  /** By SIGSTOP or a debugger. */
  stopped: boolean;
  /** Processor time it has had since it began, in ms. */
  processorMs: number;
};

/**
 * Reads what the kernel knows of a process's main thread (proc(5), `/proc/pid/task/tid/stat`).
 * @returns undefined where there is no such process, or no Linux
 */
export function readMainThread(pid: number): ThreadState | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8');
    // The name before may hold spaces and brackets; state is the third field, utime and stime 14 and 15.
    const [state = '', ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[10]) + Number(fields[11]);
    if (!Number.isFinite(ticks)) return undefined;
    return { stopped: state === 'T' || state === 't', processorMs: ticks * TICK_MS };
  } catch {
    return undefined;
  }
}
