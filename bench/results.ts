import type { System } from './contender/systems.ts';
import type { BurstFigures } from './measures/burst.ts';
import type { CrowdFigures } from './measures/crowd.ts';
import type { DensityFigures } from './measures/density.ts';
import type { DeployFigures } from './measures/deploy.ts';
import type { KillFigures, Loss } from './measures/kill.ts';
import type { LatencyFigures } from './measures/latency.ts';
import type { SoakFigures } from './measures/soak.ts';

/** What was measured of one system. */
export type Figures =
  | { measure: 'burst'; value: BurstFigures }
  | { measure: 'density'; value: DensityFigures }
  | { measure: 'latency'; value: LatencyFigures }
  | { measure: 'kill'; value: Partial<Record<Loss, KillFigures>> }
  | { measure: 'deploy'; value: DeployFigures }
  | { measure: 'crowd'; value: CrowdFigures }
  | { measure: 'soak'; value: SoakFigures }
  /** It could not be measured, and why. */
  | { measure: 'failed'; of: string; value: string };

/** One measurement of one system. */
export type Result = {
  system: System;
  /** When it ended (ISO 8601). */
  at: string;
  /** Load of the machine in the minute before, the bench's own included: at its beginning and its end. */
  load: [number, number];
  quick: boolean;
  figures: Figures;
};

export type Machine = { cores: number; model: string; memoryGb: number; node: string };

export type Results = { machine: Machine; results: Result[] };

/** Puts new results in the place of older ones of the same measurement and system. */
export function merge(before: readonly Result[], now: readonly Result[]): Result[] {
  const key = ({ system, figures }: Result) =>
    `${figures.measure === 'failed' ? figures.of : figures.measure} ${system}`;
  const replaced = new Set(now.map(key));
  return [...before.filter((result) => !replaced.has(key(result))), ...now];
}
