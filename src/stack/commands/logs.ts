import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { defineCommand } from 'citty';
import { OperatorError } from '../../platform/errors.ts';
import { dataFolder } from '../data-folder.ts';
import { stackFolders } from '../stack-environment.ts';

export default defineCommand({
  meta: {
    name: 'logs',
    description:
      'Print the logs of the stack of this folder; telephone numbers are masked in them.\n\n' +
      'Examples:\n  trunkline logs\n  trunkline logs -f worker\n  trunkline logs --lines 500 livekit-sip',
  },
  args: {
    name: { type: 'positional', required: false, description: 'one process (default: all)' },
    follow: { type: 'boolean', alias: 'f', description: 'go on printing' },
    lines: {
      type: 'string',
      alias: 'n',
      default: '50',
      description: 'lines of each log to begin with',
    },
    root: { type: 'string', description: 'folder of .env (default: this folder)' },
  },
  async run({ args }) {
    const { logs } = stackFolders(dataFolder(path.resolve(args.root ?? process.cwd())));
    const names = existsSync(logs)
      ? readdirSync(logs)
          .filter((file) => file.endsWith('.log'))
          .map((file) => file.slice(0, -4))
      : [];
    if (names.length === 0) {
      throw new OperatorError('There are no logs here.', {
        remedy: '`trunkline up` starts a stack.',
      });
    }
    if (args.name !== undefined && !names.includes(args.name)) {
      throw new OperatorError(`There is no log of "${args.name}".`, {
        remedy: `There are: ${names.join(', ')}`,
      });
    }
    if (!/^\d+$/.test(args.lines)) throw new OperatorError('--lines must be a whole number.');
    const files = (args.name === undefined ? names : [args.name]).map((name) =>
      path.join(logs, `${name}.log`),
    );
    // tail follows files through rotation (-F), several at once.
    const tail = spawn('tail', ['-n', args.lines, ...(args.follow ? ['-F'] : []), ...files], {
      stdio: ['ignore', 'inherit', 'ignore'],
    });
    await new Promise<void>((resolve, reject) =>
      tail.once('error', reject).once('exit', () => resolve()),
    );
  },
});
