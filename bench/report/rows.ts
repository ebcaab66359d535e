import type { Figures } from '../results.ts';
import type { Spread } from '../statistics.ts';
import { rounded } from '../statistics.ts';

/** One line of the comparison: a figure of each system, and what it should be. */
export type Row = {
  what: string;
  goal: string;
  /** What a system's figures say; undefined where they say nothing of it. */
  cell: (figures: Figures) => string | undefined;
};

type Of<M extends Figures['measure']> = Extract<Figures, { measure: M }>['value'];

/** A row that reads the figures of one measurement. */
function row<M extends Figures['measure']>(
  measure: M,
  what: string,
  goal: string,
  cell: (value: Of<M>) => string | undefined,
): Row {
  return {
    what,
    goal,
    cell: (figures) => (figures.measure === measure ? cell(figures.value as Of<M>) : undefined),
  };
}

export const rows: readonly Row[] = [
  row(
    'burst',
    'calls half a second apart: answered',
    'all',
    ({ answered, calls }) => `${answered} of ${calls}`,
  ),
  row('burst', 'dialling to answer, p50 / p95, ms', '≤ 800 (p95)', ({ answerMs }) =>
    middleAndHigh(answerMs),
  ),
  row('burst', 'answer to first word, p50 / p95, ms', '', ({ firstWordMs }) =>
    middleAndHigh(firstWordMs),
  ),
  row('density', 'memory that a further call adds, MB', '≤ 12', (value) =>
    String(value.memoryAFurtherCallAddsMb),
  ),
  row('density', 'memory of the agents, MB', '', ({ memoryMb }) => {
    const all = memoryMb.at(-1);
    return all && `${rounded(all.mb)} with ${all.calls}`;
  }),
  row('density', 'agent CPU a call, talking throughout, cores', '≤ 0.07', (value) =>
    String(value.cpuACallCores),
  ),
  row(
    'density',
    'lag of the event loop meanwhile, p99, ms',
    '',
    ({ loop }) => loop && String(rounded(loop.lagP99Ms)),
  ),
  row('latency', 'caller’s last sound to the reply heard, p50 / p95, ms', '≤ 550 / 700', (value) =>
    middleAndHigh(value.times['caller_to_reply']),
  ),
  row(
    'latency',
    'hesitant turns in which the agent cut in',
    'no more than stock',
    (value) => `${value.cutIns} of ${value.hesitations}`,
  ),
  row('latency', 'barge-in to silence, p50 / p95, ms', '≤ 400 (p50)', (value) =>
    middleAndHigh(value.times['break_in_to_silence']),
  ),
  row('kill', 'host killed in mid-sentence to agent heard again, longest, ms', '≤ 3,000', (value) =>
    lossText(value.host),
  ),
  row('kill', 'worker’s machine lost to agent heard again, longest, ms', '≤ 8,000', (value) =>
    lossText(value.worker),
  ),
  row('deploy', 'calls cut by a rolling deploy', '0', ({ cut, calls }) => `${cut} of ${calls}`),
  row('deploy', 'calls not answered meanwhile', '0', ({ unanswered }) => String(unanswered)),
  row(
    'crowd',
    'many calls at once: healthy',
    'all',
    ({ healthy, calls, seconds }) => `${healthy} of ${calls} for ${seconds} s`,
  ),
  row('crowd', 'memory of the agents then, MB', '≤ 1,024', ({ memoryMb }) => String(memoryMb)),
  row('crowd', 'cores of the agents then', '≤ 2', ({ cpuCores }) => String(cpuCores)),
  row(
    'crowd',
    'lag of the event loop then, p99 / longest, ms',
    '≤ 50 (p99)',
    ({ loop }) => loop && `${rounded(loop.lagP99Ms)} / ${rounded(loop.lagMaxMs)}`,
  ),
  row(
    'crowd',
    'garbage collection: share of the time, longest, ms',
    '',
    ({ loop }) => loop && `${percent(loop.garbageShare)}, ${rounded(loop.longestGarbageMs)}`,
  ),
  row('crowd', 'sound too late at the callers: made up', '', ({ madeUpShare }) =>
    percent(madeUpShare),
  ),
  row('crowd', 'frames held back for late ones, p50 / p95, ms', '', ({ heldBackMs }) =>
    middleAndHigh(heldBackMs),
  ),
  row('crowd', 'events not yet in the ledger, most', '', ({ eventsBehind }) =>
    String(eventsBehind),
  ),
  row(
    'soak',
    'memory after all calls through one host, against a tenth of them',
    'within 10 %',
    (value) => `${value.growth > 0 ? '+' : ''}${percent(value.growth)} after ${value.calls}`,
  ),
  row('soak', 'calls in which nothing was heard', '0', ({ unheard }) => String(unheard)),
];

function middleAndHigh(spread: Spread | undefined): string | undefined {
  return spread && `${rounded(spread.p50)} / ${rounded(spread.p95)}`;
}

function lossText(
  figures: { heardAgainMs: Spread | undefined; never: number; times: number } | undefined,
): string | undefined {
  if (!figures) return undefined;
  const { heardAgainMs, never, times } = figures;
  if (!heardAgainMs) return 'never';
  const lost = never === 0 ? '' : `, ${never} of ${times} never`;
  return `${heardAgainMs.max}${lost}`;
}

function percent(share: number): string {
  return `${rounded(share * 100, 1)} %`;
}
