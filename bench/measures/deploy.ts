import { setTimeout as delay } from 'node:timers/promises';
import type { Caller } from '../callers/caller.ts';
import { rounded, spreadOf, type Spread } from '../statistics.ts';
import type { Bench } from './bench.ts';

const APART_MS = 1500;
const CALL_MS = 12_000;

export type DeployFigures = {
  calls: number;
  /** Not answered within 20 s. */
  unanswered: number;
  /** Ended by the agent's side before the caller hung up. */
  cut: number;
  /** Calls in which the caller heard nothing for 8 s. */
  silent: number;
  answerMs: Spread | undefined;
  workersReplaced: number;
  seconds: number;
};

/** Replaces every worker, one after the other, while calls come and go. */
export async function measureDeploy(
  { dial, lines, contender, say }: Bench,
  { seconds }: { seconds: number },
): Promise<DeployFigures> {
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const callers: Caller[] = [];
  const calls: Promise<void>[] = [];
  const deployed = new AbortController();
  const arrivals = async () => {
    // Calls go on coming for as long as the deploy takes.
    while (!deployed.signal.aborted || elapsed() < seconds * 1000) {
      calls.push(oneCall(dial, lines.long, callers));
      await delay(APART_MS);
    }
  };
  const deploy = async () => {
    // Some calls are under way before anything happens.
    await delay(CALL_MS / 2);
    const old = contender.roots();
    for (const root of old) {
      const from = performance.now();
      await contender.replace(root);
      say(`a worker was replaced in ${rounded((performance.now() - from) / 1000, 1)} s`);
    }
    return old.length;
  };
  const [workersReplaced] = await Promise.all([
    deploy().finally(() => deployed.abort()),
    arrivals(),
  ]);
  await Promise.all(calls);
  const answers = callers.flatMap(({ answeredAfterMs }) => answeredAfterMs ?? []);
  return {
    calls: callers.length,
    unanswered: callers.length - answers.length,
    cut: callers.filter(({ cut }) => cut !== undefined).length,
    silent: callers.filter(({ unanswered }) => unanswered > 0).length,
    answerMs: spreadOf(answers.map((ms) => rounded(ms))),
    workersReplaced,
    seconds: rounded(elapsed() / 1000),
  };
}

async function oneCall(
  dial: Bench['dial'],
  lines: readonly Int16Array[],
  callers: Caller[],
): Promise<void> {
  const caller = await dial();
  callers.push(caller);
  await caller.talk(lines, AbortSignal.timeout(CALL_MS));
  await caller.hangUp();
}
