import { setTimeout as delay } from 'node:timers/promises';
import { WebProcess } from '../callers/web-process.ts';
import { useOfTrees } from '../process-tree.ts';
import { rounded } from '../statistics.ts';
import type { Bench } from './bench.ts';

const AT_ONCE = 8;
/** So long after the last call of a stage its remains have been released. */
const SETTLE_MS = 6000;
const MB = 1024 * 1024;

export type SoakFigures = {
  calls: number;
  /** Calls in which the agent was never heard. */
  unheard: number;
  /** Memory (PSS) of the agents' processes with no call, after so many calls, MB. */
  memoryMb: { calls: number; mb: number }[];
  /** The last of these over the first after a tenth of the calls, less one. */
  growth: number;
  seconds: number;
};

/** Short calls through one host, eight at a time, and what of them remains. */
export async function measureSoak(
  { contender, say }: Bench,
  { calls }: { calls: number },
): Promise<SoakFigures> {
  const {
    livekitUrl: url,
    livekitApiKey: apiKey,
    livekitApiSecret: apiSecret,
  } = contender.stack.info;
  const livekit = { url, apiKey, apiSecret };
  const startedAt = performance.now();
  const memory: { calls: number; mb: number }[] = [];
  let unheard = 0;
  let held = 0;
  for (const upTo of stagesOf(calls)) {
    const stage = upTo - held;
    const callers = WebProcess.start(
      { case: 'soak', value: { livekit, calls: stage, atOnce: Math.min(AT_ONCE, stage) } },
      (call) => {
        if (call.firstWordMs === undefined) unheard += 1;
      },
    );
    try {
      await callers.report;
    } finally {
      await callers.end();
    }
    held = upTo;
    await delay(SETTLE_MS);
    const mb = rounded(useOfTrees(contender.roots()).pssBytes / MB, 1);
    memory.push({ calls: upTo, mb });
    say(`${upTo} calls: ${mb} MB, ${unheard} unheard`);
  }
  return {
    calls,
    unheard,
    memoryMb: memory,
    growth: growthOf(memory),
    seconds: rounded((performance.now() - startedAt) / 1000),
  };
}

/** After a tenth of the calls, a quarter, a half, three quarters and all of them. */
export function stagesOf(calls: number): number[] {
  const shares = [0.1, 0.25, 0.5, 0.75, 1];
  return [...new Set(shares.map((share) => Math.max(1, Math.round(calls * share))))];
}

export function growthOf(memory: readonly { mb: number }[]): number {
  const first = memory[0]?.mb;
  const last = memory.at(-1)?.mb;
  return first === undefined || last === undefined ? Number.NaN : rounded(last / first - 1, 3);
}
