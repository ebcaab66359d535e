import { OperatorError } from '../platform/errors.ts';
import { isSameProcess, readStackState, removeStackState } from './state-file.ts';

/**
 * Clears the way for a stack in a data folder: ends what a supervisor that was killed left running.
 * @throws OperatorError where another supervisor still runs on that folder.
 */
export function clearLeftovers(stateFile: string): string[] {
  const state = readStackState(stateFile);
  if (!state) return [];
  if (isSameProcess(state.pid, state.startTicks)) {
    throw new OperatorError('A stack is already running on this data folder.', {
      remedy: '`trunkline ps` shows it; `trunkline down` stops it.',
    });
  }
  const ended = endProcesses(state.processes);
  removeStackState(stateFile);
  return ended;
}

/** Ends processes, with their groups, that are still those which were written down. */
export function endProcesses(
  processes: readonly { name: string; pid?: number | undefined; startTicks: string }[],
): string[] {
  const ended: string[] = [];
  for (const { name, pid, startTicks } of processes) {
    if (pid === undefined || !isSameProcess(pid, startTicks)) continue;
    process.kill(-pid, 'SIGKILL');
    ended.push(name);
  }
  return ended;
}
