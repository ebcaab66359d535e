import {
  defineCommand,
  renderUsage,
  runCommand,
  type CommandDef,
  type SubCommandsDef,
} from 'citty';
import { explain } from './service.ts';

/**
 * Runs a program of commands. An error that its reader can mend is shown as its message and remedy, any
 * other with its stack; both exit 1, a wrong command line exits 2.
 */
export async function runMain(
  meta: { name: string; description: string },
  subCommands: SubCommandsDef,
  rawArgs: string[] = process.argv.slice(2),
): Promise<void> {
  const command = defineCommand({ meta, subCommands });
  // Whoever reads our output may stop early, as `head` does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  try {
    if (rawArgs.length === 0 || wantsHelp(rawArgs)) {
      const [target, parent] = await commandOf(command, rawArgs);
      process.stdout.write(`${await renderUsage(target, parent)}\n`);
      if (rawArgs.length === 0) process.exitCode = 2;
      return;
    }
    await runCommand(command, { rawArgs });
  } catch (thrown) {
    const usage = thrown instanceof Error && thrown.name === 'CLIError';
    process.stderr.write(
      `${usage ? `${thrown.message}\nSee ${meta.name} --help.` : explain(thrown)}\n`,
    );
    process.exitCode = usage ? 2 : 1;
  }
}

function wantsHelp(rawArgs: readonly string[]): boolean {
  const end = rawArgs.indexOf('--');
  const own = end === -1 ? rawArgs : rawArgs.slice(0, end);
  return own.includes('--help') || own.includes('-h');
}

/** The command that the leading words name, and its parent. */
async function commandOf(
  root: CommandDef,
  rawArgs: readonly string[],
): Promise<[CommandDef, CommandDef | undefined]> {
  let [command, parent]: [CommandDef, CommandDef | undefined] = [root, undefined];
  for (const word of rawArgs) {
    const children = await resolved(command.subCommands);
    const child = await resolved(children?.[word]);
    if (!child) break;
    [command, parent] = [child, command];
  }
  return [command, parent];
}

async function resolved<T>(
  value: T | Promise<T> | (() => T | Promise<T>) | undefined,
): Promise<T | undefined> {
  return typeof value === 'function' ? await (value as () => T | Promise<T>)() : await value;
}
