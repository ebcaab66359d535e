import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { percentile } from '../statistics.ts';

const sampleSchema = z.object({
  at: z.number(),
  pid: z.number(),
  lagP99Ms: z.number(),
  lagMaxMs: z.number(),
  garbageMs: z.number(),
  longestGarbageMs: z.number(),
  heapUsed: z.number(),
});
type Sample = z.output<typeof sampleSchema>;

/** How the event loops of the agents' processes fared, of the processes that carried calls. */
export type LoopReport = {
  /** 99th percentile of the lag of the whole time: of each second's 99th percentile, the highest percent left out. */
  lagP99Ms: number;
  lagMaxMs: number;
  /** Share of the time in which garbage was collected, of the process in which it was most. */
  garbageShare: number;
  longestGarbageMs: number;
};

export type Probes = {
  /** Lets every Node process of a stack load the probe. */
  environment: Record<string, string>;
  /** What the probes of these processes wrote down between two moments (ms since the epoch). */
  report: (pids: readonly number[], from: number, to: number) => LoopReport | undefined;
  remove: () => void;
};

export function makeProbes(): Probes {
  const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-bench-'));
  const probe = path.join(import.meta.dirname, 'probe.mjs');
  return {
    environment: { NODE_OPTIONS: `--import=${probe}`, BENCH_PROBES: folder },
    report: (pids, from, to) =>
      loopReport(
        samplesIn(folder).filter(({ pid, at }) => pids.includes(pid) && at > from && at <= to),
      ),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function loopReport(samples: readonly Sample[]): LoopReport | undefined {
  if (samples.length === 0) return undefined;
  const ofProcess = Map.groupBy(samples, ({ pid }) => pid);
  const shares = [...ofProcess.values()].map(
    (own) => own.reduce((sum, { garbageMs }) => sum + garbageMs, 0) / (own.length * 1000),
  );
  const sorted = samples.map(({ lagP99Ms }) => lagP99Ms).toSorted((a, b) => a - b);
  return {
    lagP99Ms: percentile(sorted, 0.99),
    lagMaxMs: Math.max(...samples.map(({ lagMaxMs }) => lagMaxMs)),
    garbageShare: Math.max(...shares),
    longestGarbageMs: Math.max(...samples.map(({ longestGarbageMs }) => longestGarbageMs)),
  };
}

function samplesIn(folder: string): Sample[] {
  return readdirSync(folder).flatMap((file) =>
    readFileSync(path.join(folder, file), 'utf8')
      .split('\n')
      // The last line may be half written.
      .filter((line) => line.endsWith('}'))
      .map((line) => sampleSchema.parse(JSON.parse(line))),
  );
}
