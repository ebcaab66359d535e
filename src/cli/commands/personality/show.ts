import { defineCommand } from 'citty';
import { OperatorError } from '../../../platform/errors.ts';
import { directions, type Direction } from '../../../personality/personality.ts';
import { missingParameters, renderGreeting, renderPrompt } from '../../../personality/render.ts';
import type { Variables } from '../../../personality/template.ts';
import { find, openFiles } from './open.ts';

export default defineCommand({
  meta: {
    name: 'show',
    description:
      'Show what the model is told in a call, and the greeting, with variables filled in.',
  },
  args: {
    name: { type: 'positional', description: 'the personality', required: true },
    direction: {
      type: 'enum',
      options: [...directions],
      description: 'inbound or outbound; absent: both',
    },
    var: { type: 'string', description: 'a variable; may be repeated', valueHint: 'name=value' },
    json: { type: 'boolean', description: 'as JSON' },
  },
  async run({ args, rawArgs }) {
    const { loaded } = await openFiles();
    const personality = find(loaded, args.name);
    const variables = readVariables(rawArgs);
    const wanted: readonly Direction[] = args.direction ? [args.direction] : directions;
    const shown = wanted.map((direction) => {
      const missing = missingParameters(personality, direction, variables);
      // One direction's required variables must not keep the other from being shown.
      if (missing.length > 0 && wanted.length > 1) return { direction, missing };
      return {
        direction,
        greeting: renderGreeting(personality, direction, variables),
        prompt: renderPrompt(personality, direction, variables),
      };
    });
    if (args.json) {
      process.stdout.write(`${JSON.stringify({ ...personality, shown })}\n`);
      return;
    }
    const { name, key, hash, language, simulated } = personality;
    const notice = simulated ? ', on the simulator' : '';
    process.stdout.write(`${name} (${key}, version ${hash}, ${language}${notice})\n`);
    for (const { direction, missing, greeting, prompt } of shown) {
      const text =
        missing === undefined
          ? `greeting: ${greeting ?? '(the model finds the first words)'}\n\n${prompt?.trim()}`
          : `needs --var for: ${missing.join(', ')}`;
      process.stdout.write(`\n── ${direction} ──\n${text}\n`);
    }
  },
});

/** Every `--var name=value`; the parser of the command line keeps only the last. */
function readVariables(rawArgs: readonly string[]): Variables {
  const variables: Record<string, string> = {};
  for (const [index, word] of rawArgs.entries()) {
    const given = word.startsWith('--var=') ? word.slice(6) : undefined;
    const pair = word === '--var' ? rawArgs[index + 1] : given;
    if (pair === undefined) continue;
    const match = /^([a-z_][a-z0-9_]*)=(.*)$/s.exec(pair);
    if (!match?.[1]) {
      throw new OperatorError('--var must be name=value', {
        remedy: 'For example: --var name=Ada',
      });
    }
    variables[match[1]] = match[2] ?? '';
  }
  return variables;
}
