import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/** What a running stack leaves in its data folder, for `ps`, `logs` and `down`. */
const stackStateSchema = z.object({
  /** Supervisor, with its start time so that a later process of the same number is not taken for it. */
  pid: z.number().int(),
  startTicks: z.string(),
  startedAt: z.number(),
  logs: z.string(),
  processes: z.array(
    z.object({
      name: z.string(),
      pid: z.number().int().optional(),
      startTicks: z.string(),
      state: z.enum(['starting', 'running', 'restarting', 'stopped']),
      restarts: z.number().int(),
      startedAt: z.number(),
    }),
  ),
});

export type StackState = z.infer<typeof stackStateSchema>;

export function writeStackState(file: string, state: StackState): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(state, null, 2), { mode: 0o600 });
  renameSync(draft, file);
}

/** The state that a stack left, or undefined where there is none that can be read. */
export function readStackState(file: string): StackState | undefined {
  try {
    return stackStateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

export function removeStackState(file: string): void {
  rmSync(file, { force: true });
}

/**
 * When a process started, in the kernel's ticks (proc(5), field 22 of /proc/PID/stat): with its number this
 * names a process for good. Empty where it has ended or the system has no /proc.
 */
export function startTicksOf(pid: number | undefined): string {
  if (pid === undefined) return '';
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie runs no more; it only waits for somebody to ask how it ended.
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

export function isSameProcess(pid: number | undefined, startTicks: string): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return startTicksOf(pid) === startTicks;
}
