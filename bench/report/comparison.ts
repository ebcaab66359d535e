import { systems, type System } from '../contender/systems.ts';
import type { Result } from '../results.ts';
import { rows } from './rows.ts';

export type Compared = { what: string; goal: string; cells: Record<System, string | undefined> };

/** Every row of which some system has a figure. */
export function compare(results: readonly Result[]): Compared[] {
  return rows
    .map(({ what, goal, cell }) => ({
      what,
      goal,
      cells: Object.fromEntries(
        systems.map((system) => [
          system,
          results
            .filter((result) => result.system === system)
            .map(({ figures }) => cell(figures))
            .find((said) => said !== undefined),
        ]),
      ) as Compared['cells'],
    }))
    .filter(({ cells }) => Object.values(cells).some((cell) => cell !== undefined));
}
