import path from 'node:path';
import { defineCommand, type CommandDef } from 'citty';
import { runMain } from '../platform/run-main.ts';

const stackCommands = {
  start: 'Set up everything on this machine, start it and place a demo call',
  setup: 'Get what this machine lacks to run without Docker',
  up: 'Run all of Trunkline on this machine',
  down: 'Stop it',
  ps: 'Show its processes',
  logs: 'Print its logs',
  watch: 'Print what happens in all calls, live',
  config: 'Show the effective configuration and where each value comes from',
};

const [word = ''] = process.argv.slice(2);
if (word in stackCommands) {
  becomeStack();
} else {
  await runMain(
    { name: 'trunkline', description: 'A self-hosted call centre of AI agents.' },
    {
      ...Object.fromEntries(
        Object.entries(stackCommands).map(([name, description]) => [
          name,
          described(name, description),
        ]),
      ),
      call: () => import('./commands/call.ts').then((module) => module.default),
      simulate: () => import('./commands/simulate.ts').then((module) => module.default),
      personality: () => import('./commands/personality.ts').then((module) => module.default),
      backup: () => import('./commands/backup.ts').then((module) => module.default),
      restore: () => import('./commands/restore.ts').then((module) => module.default),
      upgrade: () => import('./commands/upgrade.ts').then((module) => module.default),
      notify: () => import('./commands/notify.ts').then((module) => module.default),
      key: () => import('./commands/key.ts').then((module) => module.default),
      audit: () => import('./commands/audit.ts').then((module) => module.default),
      trunk: () => import('./commands/trunk.ts').then((module) => module.default),
    },
  );
}

/** The stack is a process of its own: this one becomes it, so that signals and the terminal reach it. */
function becomeStack(): never {
  const program = path.resolve(import.meta.dirname, '../stack/main.ts');
  process.removeAllListeners('warning');
  return process.execve?.(
    process.execPath,
    [process.execPath, program, ...process.argv.slice(2)],
    process.env,
  ) as never;
}

/** A command that stands in the list of commands; another program runs it. */
function described(name: string, description: string): CommandDef {
  return defineCommand({ meta: { name, description } });
}
