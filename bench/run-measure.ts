import type { System } from './contender/systems.ts';
import { withBench, type Bench } from './measures/bench.ts';
import { measureBurst } from './measures/burst.ts';
import { measureCrowd } from './measures/crowd.ts';
import { measureDensity } from './measures/density.ts';
import { measureDeploy } from './measures/deploy.ts';
import { measureKill } from './measures/kill.ts';
import { latencyEnvironment, latencyNumber, measureLatency } from './measures/latency.ts';
import { measureSoak } from './measures/soak.ts';
import type { MeasureName, Options } from './options.ts';
import type { Figures } from './results.ts';

type Running = {
  say: Bench['say'];
  /** Gives the measurement up. */
  signal: AbortSignal;
};

/** One measurement of one system, on a stack of its own. */
export async function runMeasure(
  name: MeasureName,
  system: System,
  options: Pick<Options, 'calls' | 'seconds' | 'quick'> & Running,
): Promise<Figures> {
  const { quick, say, signal } = options;
  const calls = (usual: number, few: number) => options.calls ?? (quick ? few : usual);
  const seconds = (usual: number, few: number) => options.seconds ?? (quick ? few : usual);
  const on = async <T>(
    workers: number,
    measure: (bench: Bench) => Promise<T>,
    how: { environment?: Record<string, string>; number?: string } = {},
  ) => withBench(system, { ...how, workers, say, signal }, measure);
  switch (name) {
    case 'burst':
      return {
        measure: name,
        value: await on(1, (bench) => measureBurst(bench, { calls: calls(10, 4) })),
      };
    case 'density': {
      const asked = { calls: calls(6, 3), seconds: seconds(30, 10) };
      return { measure: name, value: await on(1, (bench) => measureDensity(bench, asked)) };
    }
    case 'latency': {
      const asked = {
        turns: quick || system !== 'trunkline' ? 1 : 2,
        // The longest, which compares settings of turns: Python's are those of agents-js.
        hesitant: quick || system === 'python' ? 0 : 1,
      };
      const measure = (bench: Bench) => measureLatency(bench, asked);
      return { measure: name, value: await on(1, measure, LATENCY) };
    }
    case 'kill':
      return { measure: name, value: await runKills(system, options) };
    case 'deploy': {
      const asked = { seconds: seconds(40, 15) };
      return { measure: name, value: await on(2, (bench) => measureDeploy(bench, asked)) };
    }
    case 'crowd': {
      const asked = { calls: calls(25, 6), seconds: seconds(300, 20) };
      return { measure: name, value: await on(1, (bench) => measureCrowd(bench, asked)) };
    }
    case 'soak': {
      const measure = (bench: Bench) => measureSoak(bench, { calls: calls(1000, 20) });
      return { measure: name, value: await on(1, measure, ONE_HOST) };
    }
  }
}

/** All calls of a soak go through one process, which must not be replaced meanwhile. */
const ONE_HOST = { environment: { WORKER_HOSTS: '1' } };

const LATENCY = { environment: latencyEnvironment, number: latencyNumber };

/** What dies on stock workers is not heard again: once is enough to show it. */
async function runKills(system: System, { quick, say, signal }: Pick<Options, 'quick'> & Running) {
  const times = quick || system !== 'trunkline' ? 1 : 4;
  const host = await withBench(system, { workers: 1, say, signal }, (bench) =>
    measureKill(bench, { loss: 'host', times }),
  );
  if (quick) return { host };
  // Two machines: one takes over what the other had.
  const worker = await withBench(system, { workers: 2, say, signal }, (bench) =>
    measureKill(bench, { loss: 'worker', times: Math.min(times, 3) }),
  );
  return { host, worker };
}
