import { cpus, loadavg, totalmem } from 'node:os';
import { asError } from '../src/platform/errors.ts';
import { missing, systemNames, type System } from './contender/systems.ts';
import { parseOptions, USAGE, usualSystems, type MeasureName, type Options } from './options.ts';
import { printed } from './report/printed.ts';
import { writePerformancePage } from './report/performance-page.ts';
import type { Machine, Result } from './results.ts';
import { runMeasure } from './run-measure.ts';
import { rounded } from './statistics.ts';

let options: Options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (thrown) {
  process.stderr.write(`${asError(thrown).message}\n\n${USAGE}`);
  process.exit(2);
}
if (options.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
// Ctrl-C: what runs is given up, and everything that was started is taken down.
const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => interruption.abort(new Error('interrupted')));
}
// What is given up fails in many places; taking it down must go on all the same.
process.on('unhandledRejection', (thrown) => {
  if (!interruption.signal.aborted) throw asError(thrown);
});

const machine: Machine = {
  cores: cpus().length,
  model: cpus()[0]?.model ?? '',
  memoryGb: rounded(totalmem() / 1024 ** 3),
  node: process.version,
};
const results: Result[] = [];
for (const measure of options.only) {
  for (const system of systemsFor(measure)) {
    if (!interruption.signal.aborted) results.push(await measured(measure, system));
  }
}
const { aborted: interrupted } = interruption.signal;
if (options.write && !interrupted) writePerformancePage({ machine, results });
const failed = results.some(({ figures }) => figures.measure === 'failed');
process.stdout.write(
  options.json ? `${JSON.stringify({ machine, results }, null, 2)}\n` : printed(results),
  // Not before all of it is written.
  () => process.exit(failed || interrupted ? 1 : 0),
);

function systemsFor(measure: MeasureName): readonly System[] {
  const asked = options.systems.filter((system) => {
    const why = missing(system);
    if (why !== undefined) say(`${systemNames[system]} is left out: ${why}`);
    return why === undefined;
  });
  const usual = options.quick ? ['trunkline'] : usualSystems[measure];
  return options.named ? asked : asked.filter((system) => usual.includes(system));
}

async function measured(measure: MeasureName, system: System): Promise<Result> {
  say(`${measure}, ${systemNames[system]}`);
  const before = rounded(loadavg()[0] ?? 0, 1);
  const figures = await runMeasure(measure, system, {
    ...options,
    signal: interruption.signal,
    say: (text) => say(`  ${text}`),
  }).catch((thrown: unknown) => {
    const { message } = asError(thrown);
    say(`  failed: ${message}`);
    return { measure: 'failed' as const, of: measure, value: message };
  });
  const load: [number, number] = [before, rounded(loadavg()[0] ?? 0, 1)];
  return { system, at: new Date().toISOString(), load, quick: options.quick, figures };
}

function say(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${text}\n`);
}
