import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { defineCommand } from 'citty';
import { dataFolder } from '../data-folder.ts';
import { endProcesses } from '../leftovers.ts';
import { stackFolders } from '../stack-environment.ts';
import { isSameProcess, readStackState, removeStackState } from '../state-file.ts';

/** The supervisor's own steps have limits that add up to about a minute. */
const PATIENCE_MS = 90_000;

export default defineCommand({
  meta: {
    name: 'down',
    description:
      'Stop the stack of this folder: calls end with a BYE, and nothing stays behind.\n\n' +
      'Examples:\n  trunkline down\n  trunkline down --volumes    also delete queue, ledger, logs and recordings',
  },
  args: {
    volumes: { type: 'boolean', description: 'delete the data folder as well' },
    root: { type: 'string', description: 'folder of .env (default: this folder)' },
  },
  async run({ args }) {
    const dataDir = dataFolder(path.resolve(args.root ?? process.cwd()));
    const { state: stateFile } = stackFolders(dataDir);
    const state = readStackState(stateFile);
    if (state && isSameProcess(state.pid, state.startTicks)) {
      process.kill(state.pid, 'SIGTERM');
      const deadline = Date.now() + PATIENCE_MS;
      while (isSameProcess(state.pid, state.startTicks) && Date.now() < deadline) await delay(100);
    }
    // What a killed supervisor, or one that hangs, left running.
    const ended = await endProcesses([
      ...(state ? [{ name: 'supervisor', pid: state.pid, startTicks: state.startTicks }] : []),
      ...(state?.processes ?? []),
    ]);
    removeStackState(stateFile);
    if (args.volumes) rmSync(dataDir, { recursive: true, force: true });
    const forced = ended.length > 0 ? ` (by force: ${ended.join(', ')})` : '';
    process.stdout.write(state ? `Stopped${forced}.\n` : 'No stack was running here.\n');
  },
});
