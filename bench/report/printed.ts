import { systemNames, systems } from '../contender/systems.ts';
import type { Result } from '../results.ts';
import { compare } from './comparison.ts';

/** The comparison for a terminal. */
export function printed(results: readonly Result[]): string {
  const measured = systems.filter((system) => results.some((result) => result.system === system));
  const table = [
    ['', 'goal', ...measured.map((system) => systemNames[system])],
    ...compare(results).map(({ what, goal, cells }) => [
      what,
      goal,
      ...measured.map((system) => cells[system] ?? '–'),
    ]),
  ];
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((cells) => (cells[column] ?? '').length)),
  );
  const lines = table.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const failures = results.flatMap(({ system, figures }) =>
    figures.measure === 'failed'
      ? [`failed: ${figures.of}, ${systemNames[system]}: ${figures.value}`]
      : [],
  );
  return `${[...lines, ...failures].join('\n')}\n`;
}
