/** A server that was restarted is back within a second or two: the first attempts come quickly. */
const FIRST_MS = 100;
const MOST_MS = 5000;

/**
 * How long to wait before a further attempt to connect: twice as long each time, up to 5 s, and up to half of it
 * taken off at random, so that a fleet does not come back all at once.
 *
 * @param attempt from 0
 * @param random from 0 to 1
 */
export function backoffMs(attempt: number, random: number = Math.random()): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return most * (1 - random / 2);
}
