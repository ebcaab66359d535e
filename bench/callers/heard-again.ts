import type { Ear } from '../../src/simulator/conversation/ear.ts';

/** What was on its way at the loss is still heard: sound that begins sooner is not the new agent's. */
const ON_ITS_WAY_MS = 600;
/** Shorter sounds are clicks. */
const CLICK_MS = 60;

/**
 * When an agent began to be heard again after a loss, in ms since then; undefined: not yet.
 *
 * @param lostAt on the ear's clock
 */
export function heardAgainAfter(spans: Ear['spans'], lostAt: number): number | undefined {
  const again = spans.find(
    ({ startedAt, endedAt }) =>
      startedAt > lostAt + ON_ITS_WAY_MS && endedAt - startedAt > CLICK_MS,
  );
  return again && again.startedAt - lostAt;
}
