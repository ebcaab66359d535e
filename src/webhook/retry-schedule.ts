const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * How long to wait after each failed attempt: eleven attempts in the course of a day, as the specification of
 * Standard Webhooks proposes ("Delivery attempts and retries").
 */
export const RETRY_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  6 * HOUR,
  10 * HOUR,
];

/** A receiver may ask for more patience, but not for so much that a day is over. */
const LONGEST_WISH_MS = HOUR;
const JITTER = 0.1;

/**
 * How long to wait before the next attempt; undefined: there is none.
 *
 * @param attempts how many have failed
 * @param wishMs what the receiver asked for (`Retry-After`)
 * @param random from 0 to 1, so that many that failed together do not come back together
 */
export function nextDelayMs(
  attempts: number,
  options: { delays?: readonly number[]; wishMs?: number | undefined; random: number },
): number | undefined {
  const { delays = RETRY_MS, wishMs = 0, random } = options;
  const planned = delays[attempts - 1];
  if (planned === undefined) return undefined;
  const spread = planned * (1 - JITTER + 2 * JITTER * random);
  return Math.round(Math.max(spread, Math.min(wishMs, LONGEST_WISH_MS)));
}
