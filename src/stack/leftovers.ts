import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../platform/errors.ts';
import { isSameProcess, readStackState, removeStackState } from './state-file.ts';

/**
 * Clears the way for a stack in a data folder: ends what a supervisor that was killed left running.
 * @throws OperatorError where another supervisor still runs on that folder.
 */
export async function clearLeftovers(stateFile: string): Promise<string[]> {
  const state = readStackState(stateFile);
  if (!state) return [];
  if (isSameProcess(state.pid, state.startTicks)) {
    throw new OperatorError('A stack is already running on this data folder.', {
      remedy: '`trunkline ps` shows it; `trunkline down` stops it.',
    });
  }
  const ended = await endProcesses(state.processes);
  removeStackState(stateFile);
  return ended;
}

type Written = { name: string; pid?: number | undefined; startTicks: string };

/**
 * Ends processes, with their groups, that are still those which were written down, and waits until the kernel
 * has let them go. Returns their names.
 */
export async function endProcesses(processes: readonly Written[]): Promise<string[]> {
  const alive = processes.filter(({ pid, startTicks }) => isSameProcess(pid, startTicks));
  for (const { pid } of alive) if (pid !== undefined) kill(pid);
  for (const { pid, startTicks } of alive) {
    while (isSameProcess(pid, startTicks)) await delay(20);
  }
  return alive.map(({ name }) => name);
}

/** The group that the process leads, or the process alone where it leads none. */
function kill(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL');
      return;
    } catch {
      // No such group or process: then the other, or it is gone already.
    }
  }
}
