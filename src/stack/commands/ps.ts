import path from 'node:path';
import { defineCommand } from 'citty';
import { dataFolder } from '../data-folder.ts';
import { stackFolders } from '../stack-environment.ts';
import { isSameProcess, readStackState } from '../state-file.ts';

export default defineCommand({
  meta: {
    name: 'ps',
    description:
      'Show the processes of the stack of this folder; exit 1 when one of them does not run.\n\n' +
      'Examples:\n  trunkline ps\n  trunkline ps --json',
  },
  args: {
    json: { type: 'boolean', description: 'print JSON' },
    root: { type: 'string', description: 'folder of .env (default: this folder)' },
  },
  run({ args }) {
    const { state: file } = stackFolders(dataFolder(path.resolve(args.root ?? process.cwd())));
    const state = readStackState(file);
    const rows = (state?.processes ?? []).map(
      ({ name, pid, startTicks, startedAt, restarts, state }) => ({
        name,
        pid,
        state: isSameProcess(pid, startTicks) ? state : ('gone' as const),
        restarts,
        upMs: Date.now() - startedAt,
      }),
    );
    if (args.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
    else if (rows.length === 0)
      process.stdout.write('No stack runs here; `trunkline up` starts one.\n');
    else {
      process.stdout.write(
        `${'NAME'.padEnd(16)}${'STATE'.padEnd(12)}${'PID'.padEnd(9)}${'RESTARTS'.padEnd(10)}UP\n`,
      );
      for (const row of rows) {
        const columns = [
          row.name.padEnd(16),
          row.state.padEnd(12),
          String(row.pid ?? '-').padEnd(9),
        ];
        process.stdout.write(
          `${columns.join('')}${String(row.restarts).padEnd(10)}${span(row.upMs)}\n`,
        );
      }
    }
    if (rows.length === 0 || rows.some((row) => row.state !== 'running')) process.exitCode = 1;
  },
});

function span(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
