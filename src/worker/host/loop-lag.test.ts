import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LoopLag } from './loop-lag.ts';

let lag: LoopLag | undefined;
afterEach(() => lag?.close());

/** Holds the event loop. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('LoopLag', () => {
  it('tells of a loop that is late again and again, and forgets it', async () => {
    const measured = new LoopLag(500);
    lag = measured;
    for (let count = 0; count < 8; count += 1) {
      block(300);
      await sleep(15);
    }
    expect(measured.p99).toBeGreaterThan(200);
    await vi.waitFor(() => expect(measured.p99).toBeLessThan(150), { timeout: 50_000 });
  });
});
