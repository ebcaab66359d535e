import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemNames, systems } from '../contender/systems.ts';
import { merge, type Results } from '../results.ts';
import { charts } from './charts.ts';
import { compare } from './comparison.ts';

const docs = path.resolve(import.meta.dirname, '../../docs');
const page = path.join(docs, 'performance.md');
const folder = path.join(docs, 'performance');
const figures = path.join(folder, 'figures.json');

const BEGIN = '<!-- npm run bench: from here -->';
const END = '<!-- npm run bench: to here -->';

/** Puts results beside those of earlier runs, and all of them into docs/performance.md and its plots. */
export function writePerformancePage({ machine, results }: Results): void {
  const all: Results = { machine, results: merge(earlier(), results) };
  mkdirSync(folder, { recursive: true });
  writeFileSync(figures, `${JSON.stringify(all, null, 2)}\n`);
  const plots = charts(all.results);
  for (const [name, svg] of plots) writeFileSync(path.join(folder, name), svg);
  const text = readFileSync(page, 'utf8');
  writeFileSync(page, withSection(text, section(all, [...plots.keys()])));
}

/** The page with the generated part in its place. @throws Error where its marks are missing */
export function withSection(text: string, made: string): string {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error('the page has no marks');
  return `${before}${BEGIN}\n\n${made}\n${END}${after}`;
}

/** The generated part: machine, figures beside each other, when and under which load each was taken, plots. */
export function section({ machine, results }: Results, plots: readonly string[]): string {
  const head = ['', 'goal', ...systems.map((system) => systemNames[system])];
  const lines = compare(results).map(({ what, goal, cells }) => [
    what,
    goal,
    ...systems.map((system) => cells[system] ?? '–'),
  ]);
  const taken = results.map(({ system, at, load, quick, figures }) => [
    figures.measure === 'failed' ? `${figures.of} (failed: ${figures.value})` : figures.measure,
    systemNames[system],
    at.slice(0, 16).replace('T', ' '),
    load.join(' to '),
    quick ? 'quick' : 'whole',
  ]);
  return [
    `Machine: ${machine.cores} cores (${machine.model}), ${machine.memoryGb} GB, Node.js ${machine.node.slice(1)}.`,
    'It also carried livekit-server, livekit-sip, Redis, the ledger, the simulator and the callers.',
    '',
    ...table([head, ...lines]),
    '',
    ...plots.map((name) => `![${name.replace('.svg', '')}](performance/${name})\n`),
    'When each was measured, and the load of the machine at its beginning and its end, the bench’s own included:',
    '',
    ...table([['measurement', 'of', 'UTC', 'load', 'run'], ...taken]),
    '',
  ].join('\n');
}

function table(lines: readonly (readonly string[])[]): string[] {
  const [head = [], ...rest] = lines;
  return [head, head.map(() => '---'), ...rest].map((cells) => `| ${cells.join(' | ')} |`);
}

function earlier(): Results['results'] {
  try {
    return (JSON.parse(readFileSync(figures, 'utf8')) as Results).results;
  } catch {
    // Nothing was measured before.
    return [];
  }
}
