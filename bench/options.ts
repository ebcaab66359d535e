import { parseArgs } from 'node:util';
import { systems, type System } from './contender/systems.ts';

export const measures = ['burst', 'density', 'latency', 'kill', 'deploy', 'crowd', 'soak'] as const;
export type MeasureName = (typeof measures)[number];

/**
 * Which systems are measured where none is named. 25 processes of stock agents are more than a small machine
 * has; and what dies or is replaced does so alike in both stock frameworks, so that one of them is enough.
 */
export const usualSystems: Record<MeasureName, readonly System[]> = {
  burst: systems,
  density: systems,
  latency: systems,
  kill: ['trunkline', 'stock'],
  deploy: ['trunkline', 'stock'],
  crowd: ['trunkline'],
  soak: ['trunkline'],
};

export const USAGE = `How Trunkline fares with calls, beside the framework as it comes: npm run bench -- [options]

  --only NAMES      burst, density, latency, kill, deploy, crowd, soak (with commas)   all
  --systems NAMES   trunkline, stock (agents-js), python         those that it is usual for
  --calls N         calls at once; of a soak, calls in all
  --seconds N       how long all talk (density, deploy, crowd)
  --quick           Trunkline only, fewer and shorter: some 7 minutes, for a first look
  --json            print the figures as JSON
  --write           put the figures into docs/performance.md though only a part was measured
  --no-write        leave docs/performance.md as it is

A whole run takes some 40 minutes, and its figures are put into docs/performance.md; a part of it is only
printed. Each system gets a stack of its own on free ports, with the same trunk and the same stand-ins of
the vendors, and all of it is taken down afterwards. The machine should have nothing else to do.

BENCH_LOGS=DIR in the environment keeps the logs of each stack there.

Examples:
  npm run bench                                       all of it, into docs/performance.md
  npm run bench -- --quick                            a little of each, of Trunkline
  npm run bench -- --only burst --calls 20            twenty calls half a second apart
  npm run bench -- --only kill --systems trunkline    an agent's process killed in mid-sentence
  npm run bench -- --only crowd --seconds 60 --json   25 calls at once for a minute
`;

export type Options = {
  only: readonly MeasureName[];
  systems: readonly System[];
  /** Whether the systems were named: then each is measured, also where it is not usual. */
  named: boolean;
  calls: number | undefined;
  seconds: number | undefined;
  quick: boolean;
  json: boolean;
  write: boolean;
  help: boolean;
};

/** @throws Error with a sentence that says what is wrong */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      only: { type: 'string' },
      systems: { type: 'string' },
      calls: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const narrowed = [values.only, values.systems, values.calls, values.seconds].some(
    (value) => value !== undefined,
  );
  return {
    only: namesOf('--only', values.only, measures),
    systems: namesOf('--systems', values.systems, systems),
    named: values.systems !== undefined,
    calls: countOf('--calls', values.calls),
    seconds: countOf('--seconds', values.seconds),
    quick: values.quick,
    json: values.json,
    write: values.write ?? !(narrowed || values.quick),
    help: values.help,
  };
}

function namesOf<T extends string>(
  option: string,
  given: string | undefined,
  known: readonly T[],
): readonly T[] {
  if (given === undefined) return known;
  const names = given.split(',').map((name) => name.trim());
  const wrong = names.filter((name) => !known.includes(name as T));
  if (wrong.length > 0) {
    throw new Error(`${option} knows no ${wrong.join(', ')}; there are ${known.join(', ')}.`);
  }
  // In the order in which they are run.
  return known.filter((name) => names.includes(name));
}

function countOf(option: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const count = Number(given);
  if (Number.isInteger(count) && count > 0 && count <= 100_000) return count;
  throw new Error(`${option} wants a whole number from 1, not ${given}.`);
}
