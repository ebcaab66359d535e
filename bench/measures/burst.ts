import { setTimeout as delay } from 'node:timers/promises';
import { rounded, spreadOf, type Spread } from '../statistics.ts';
import type { Bench } from './bench.ts';
import type { Caller } from '../callers/caller.ts';

const APART_MS = 500;
/** How long all calls talk together, after the last has dialled. */
const TALK_MS = 8000;

export type BurstFigures = {
  calls: number;
  answered: number;
  /** Of those that heard an agent. */
  heard: number;
  /** From dialling to the answer, ms; of those answered. */
  answerMs: Spread | undefined;
  /** From the answer to the first sound of the agent, ms. */
  firstWordMs: Spread | undefined;
  /** In the order of dialling; null: given up after 20 s. */
  answersMs: (number | null)[];
};

/** Calls that come half a second apart and stay on the line: who is answered, and how soon. */
export async function measureBurst(
  { dial, lines, say }: Pick<Bench, 'dial' | 'lines' | 'say'>,
  { calls }: { calls: number },
): Promise<BurstFigures> {
  say(`${calls} calls, ${APART_MS} ms apart`);
  const stop = new AbortController();
  const callers = await Promise.all(
    Array.from({ length: calls }, async (_, index) => {
      await delay(index * APART_MS);
      return talkUntil(await dial(), lines.long, stop.signal);
    }),
  );
  await delay(TALK_MS);
  stop.abort();
  await Promise.all(callers.map(async ({ done }) => done));
  await Promise.all(callers.map(async ({ caller }) => caller.hangUp()));
  return summarise(callers.map(({ caller }) => caller));
}

/** Lets a caller talk while others still dial. */
async function talkUntil(
  caller: Caller,
  lines: readonly Int16Array[],
  signal: AbortSignal,
): Promise<{ caller: Caller; done: Promise<void> }> {
  return { caller, done: caller.talk(lines, signal) };
}

function summarise(
  callers: readonly Pick<Caller, 'answeredAfterMs' | 'firstWordAfterMs'>[],
): BurstFigures {
  const answers = callers.map(({ answeredAfterMs }) => answeredAfterMs);
  const answered = answers.filter((ms) => ms !== undefined);
  const words = callers.flatMap(({ firstWordAfterMs }) => firstWordAfterMs ?? []);
  return {
    calls: callers.length,
    answered: answered.length,
    heard: words.length,
    answerMs: spreadOf(answered.map((ms) => rounded(ms))),
    firstWordMs: spreadOf(words.map((ms) => rounded(ms))),
    answersMs: answers.map((ms) => (ms === undefined ? null : rounded(ms))),
  };
}
