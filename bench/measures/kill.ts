import { setTimeout as delay } from 'node:timers/promises';
import { heardAgainAfter } from '../callers/heard-again.ts';
import { kill } from '../contender/contender.ts';
import { ownCpuMs, pidsOfTrees } from '../process-tree.ts';
import { rounded, spreadOf, type Spread } from '../statistics.ts';
import type { Bench } from './bench.ts';

/** So far into a sentence of four seconds. */
const INTO_SENTENCE_MS = 900;
/** A caller who has heard nothing for so long has hung up. */
const GIVEN_UP_MS = 20_000;
const LOOK_MS = 20;
/** After a loss its worker is started again, or its host; the next call must find all as it was. */
const RECOVERED_MS = 8000;

/** What is lost: the process that carries the call, or the whole machine of its worker. */
export type Loss = 'host' | 'worker';

export type KillFigures = {
  times: number;
  /** From the loss to the agent's being heard again, ms; of those in which it was. */
  heardAgainMs: Spread | undefined;
  /** Calls in which it was not heard again within 20 s. */
  never: number;
};

/** Takes an agent away in mid-sentence, so many times, and waits at the caller's ear for another. */
export async function measureKill(
  bench: Bench,
  { loss, times }: { loss: Loss; times: number },
): Promise<KillFigures> {
  const heard: number[] = [];
  for (let round = 0; round < times; round += 1) {
    const ms = await oneLoss(bench, loss);
    bench.say(`${loss} lost: ${ms === undefined ? 'never heard again' : `${rounded(ms)} ms`}`);
    if (ms !== undefined) heard.push(rounded(ms));
    await delay(RECOVERED_MS);
  }
  return { times, heardAgainMs: spreadOf(heard), never: times - heard.length };
}

async function oneLoss({ dial, lines, contender }: Bench, loss: Loss): Promise<number | undefined> {
  const roots = contender.roots();
  const caller = await dial();
  const stop = new AbortController();
  const talk = caller.talk(lines.long, stop.signal);
  try {
    if (caller.answeredAfterMs === undefined) throw new Error('a call was not answered');
    await until(
      () => caller.repliesMs.length > 0,
      () => caller.cut !== undefined,
    );
    const before = cpuByPid(roots);
    await delay(INTO_SENTENCE_MS);
    const lostAt = caller.ear.now();
    if (loss === 'host') kill(busiest(cpuByPid(roots), before, roots));
    else contender.lose(busiestTree(roots, before));
    let again: number | undefined;
    await until(
      () => (again = heardAgainAfter(caller.ear.spans, lostAt)) !== undefined,
      () => caller.cut !== undefined,
    );
    return again;
  } finally {
    stop.abort();
    await talk;
    await caller.hangUp();
  }
}

function cpuByPid(roots: readonly number[]): Map<number, number> {
  return new Map(pidsOfTrees(roots).map((pid) => [pid, ownCpuMs(pid)]));
}

/** The process that carries the one call there is: the child that works most while its agent speaks. */
function busiest(
  now: ReadonlyMap<number, number>,
  before: ReadonlyMap<number, number>,
  roots: readonly number[],
): number {
  const worked = [...now]
    .filter(([pid]) => !roots.includes(pid))
    .map(([pid, cpuMs]) => ({ pid, cpuMs: cpuMs - (before.get(pid) ?? 0) }))
    .toSorted((a, b) => b.cpuMs - a.cpuMs);
  const [first] = worked;
  if (!first) throw new Error('no process carries the call');
  return first.pid;
}

/** The worker that carries the one call there is. */
function busiestTree(roots: readonly number[], before: ReadonlyMap<number, number>): number {
  const now = cpuByPid(roots);
  const carrier = busiest(now, before, roots);
  const root = roots.find((candidate) => pidsOfTrees([candidate]).includes(carrier));
  if (root === undefined) throw new Error('no worker carries the call');
  return root;
}

async function until(condition: () => boolean, over: () => boolean): Promise<void> {
  const limit = performance.now() + GIVEN_UP_MS;
  while (!condition() && !over() && performance.now() < limit) await delay(LOOK_MS);
}
