import type { ConversationOutcome } from '../../simulator-client.ts';

/** How a time was distributed over the runs of a conversation; in ms. */
export type Spread = { n: number; min: number; median: number; p95: number; max: number };

type Tallied = {
  name: string;
  runs: number;
  passed: number;
  /** Hesitant turns of the caller, and those in which the agent spoke before their end. */
  hesitations: number;
  cutIns: number;
  /** By name of the measure, in the order in which they first occurred. */
  measures: Record<string, Spread>;
};

/** What several runs of conversations have shown together. */
export class Tally {
  readonly #conversations = new Map<
    string,
    Omit<Tallied, 'measures'> & { times: Map<string, number[]> }
  >();

  /** @param file tells conversations of the same name apart */
  add(file: string, { name, passed, calls }: ConversationOutcome): void {
    const none = { runs: 0, passed: 0, hesitations: 0, cutIns: 0 };
    const seen = this.#conversations.get(file) ?? { name, ...none, times: new Map() };
    this.#conversations.set(file, seen);
    seen.runs += 1;
    if (passed) seen.passed += 1;
    for (const call of calls) {
      seen.hesitations += call.hesitations ?? 0;
      seen.cutIns += call.cutIns ?? 0;
    }
    for (const measure of calls.flatMap((call) => call.measures)) {
      const times = seen.times.get(measure.name) ?? [];
      seen.times.set(measure.name, times);
      times.push(measure.ms);
    }
  }

  get conversations(): Tallied[] {
    return [...this.#conversations.values()].map(({ times, ...counts }) => ({
      ...counts,
      measures: Object.fromEntries([...times].map(([name, values]) => [name, spreadOf(values)])),
    }));
  }

  /** For people: a table for each conversation. */
  toString(): string {
    return this.conversations.map(table).join('\n\n');
  }
}

/**
 * The p95 is by nearest rank: a time that really occurred, and of fewer than 20 the greatest.
 *
 * @param times at least one
 */
export function spreadOf(times: readonly number[]): Spread {
  const sorted = times.toSorted((a, b) => a - b);
  const n = sorted.length;
  const at = (index: number) => sorted[index] ?? NaN;
  return {
    n,
    min: at(0),
    median: Math.round((at(Math.floor((n - 1) / 2)) + at(Math.ceil((n - 1) / 2))) / 2),
    p95: at(Math.ceil(n * 0.95) - 1),
    max: at(n - 1),
  };
}

function table({ name, runs, passed, measures, hesitations, cutIns }: Tallied): string {
  const head = row('ms', ['n', 'min', 'median', 'p95', 'max']);
  const rows = Object.entries(measures).map(([measure, { n, min, median, p95, max }]) =>
    row(
      measure.replaceAll('_', ' '),
      [n, min, median, p95, max].map((value) => value.toLocaleString('en')),
    ),
  );
  const verdict = `${name}: ${passed} of ${runs} passed`;
  const cuts =
    hesitations > 0 ? [`  the agent cut in on ${cutIns} of ${hesitations} hesitant turns`] : [];
  return [verdict, ...cuts, head, ...rows].join('\n');
}

function row(title: string, cells: readonly string[]): string {
  return `  ${title.padEnd(28)}${cells.map((cell) => cell.padStart(8)).join('')}`;
}
