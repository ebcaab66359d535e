import { setTimeout as delay } from 'node:timers/promises';
import { pidsOfTrees, useOfTrees } from '../process-tree.ts';
import { rounded, slopeOf, spreadOf, type Spread } from '../statistics.ts';
import type { LoopReport } from '../probe/probes.ts';
import type { Caller } from '../callers/caller.ts';
import type { Bench } from './bench.ts';

/** Calls come so slowly that even a process each is ready in time. */
const APART_MS = 2500;
/** A call has said and heard something before its memory counts. */
const SETTLE_MS = 7000;
const SAMPLES = 3;
const MB = 1024 * 1024;

export type DensityFigures = {
  calls: number;
  /** Memory (PSS) of all the agents' processes with so many calls, MB. */
  memoryMb: { calls: number; mb: number }[];
  memoryAFurtherCallAddsMb: number;
  seconds: number;
  /** Cores, of the agents' processes only, while caller and agent talk in turns without a pause. */
  cpuACallCores: number;
  /** From the end of the caller's voice to the agent's, while all of them talked. */
  replyMs: Spread | undefined;
  /** How often a caller heard nothing for 8 s. */
  unanswered: number;
  loop: LoopReport | undefined;
};

/** What a call costs: memory by the number of calls, and processor time while all of them talk. */
export async function measureDensity(
  { dial, lines, contender, probes, say }: Bench,
  options: { calls: number; seconds: number },
): Promise<DensityFigures> {
  const stop = new AbortController();
  const callers: Caller[] = [];
  const talks: Promise<void>[] = [];
  const memory: { calls: number; mb: number }[] = [];
  try {
    for (const upTo of stepsTo(options.calls)) {
      while (callers.length < upTo) {
        const caller = await dial();
        callers.push(caller);
        talks.push(caller.talk(lines.long, stop.signal));
        await delay(APART_MS);
      }
      await delay(SETTLE_MS);
      memory.push({ calls: upTo, mb: await memoryMb(contender.roots()) });
      say(`${upTo} calls: ${memory.at(-1)?.mb} MB`);
    }
    say(`all talk for ${options.seconds} s`);
    const from = { ...useOfTrees(contender.roots()), at: Date.now() };
    const repliesBefore = callers.map(({ repliesMs }) => repliesMs.length);
    await delay(options.seconds * 1000);
    const to = { ...useOfTrees(contender.roots()), at: Date.now() };
    const loop = probes.report(pidsOfTrees(contender.roots()), from.at, to.at);
    const answered = callers.filter(({ answeredAfterMs }) => answeredAfterMs !== undefined);
    const wallMs = to.at - from.at;
    return {
      calls: answered.length,
      memoryMb: memory,
      memoryAFurtherCallAddsMb: rounded(
        slopeOf(memory.map(({ calls, mb }) => ({ x: calls, y: mb }))),
        1,
      ),
      seconds: options.seconds,
      cpuACallCores: rounded((to.cpuMs - from.cpuMs) / wallMs / answered.length, 3),
      replyMs: spreadOf(
        callers.flatMap(({ repliesMs }, index) =>
          repliesMs.slice(repliesBefore[index]).map((ms) => rounded(ms)),
        ),
      ),
      unanswered: callers.reduce((sum, { unanswered }) => sum + unanswered, 0),
      loop,
    };
  } finally {
    stop.abort();
    await Promise.all(talks);
    await Promise.all(callers.map(async (caller) => caller.hangUp()));
  }
}

/** One call, half of them, all. */
function stepsTo(calls: number): number[] {
  return [...new Set([1, Math.ceil(calls / 2), calls])];
}

/** The mean of a few moments: garbage comes and goes. */
async function memoryMb(roots: readonly number[]): Promise<number> {
  let sum = 0;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    await delay(1000);
    sum += useOfTrees(roots).pssBytes;
  }
  return rounded(sum / SAMPLES / MB, 1);
}
