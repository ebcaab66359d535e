import { setTimeout as delay } from 'node:timers/promises';

/** Asks until there is an answer. The test's own time-out is the limit. */
export async function eventually<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await delay(50);
  }
}
