import { describe, expect, it } from 'vitest';
import { nextDelayMs, RETRY_MS } from './retry-schedule.ts';

describe('the schedule of attempts', () => {
  it('lasts a day, and each pause is longer than the one before', () => {
    const hours = RETRY_MS.reduce((sum, ms) => sum + ms, 0) / 3_600_000;
    expect(hours).toBeGreaterThan(23);
    expect(hours).toBeLessThan(25);
    expect(RETRY_MS).toEqual(RETRY_MS.toSorted((a, b) => a - b));
  });

  it('ends after the last attempt', () => {
    expect(nextDelayMs(RETRY_MS.length, { random: 0.5 })).toBe(RETRY_MS.at(-1));
    expect(nextDelayMs(RETRY_MS.length + 1, { random: 0.5 })).toBeUndefined();
  });

  it('differs a little each time', () => {
    expect(nextDelayMs(1, { random: 0 })).toBe(4500);
    expect(nextDelayMs(1, { random: 1 })).toBe(5500);
  });

  it('heeds what the receiver asks for, up to an hour, and never comes earlier', () => {
    expect(nextDelayMs(1, { random: 0.5, wishMs: 60_000 })).toBe(60_000);
    expect(nextDelayMs(1, { random: 0.5, wishMs: 86_400_000 })).toBe(3_600_000);
    expect(nextDelayMs(1, { random: 0.5, wishMs: 1 })).toBe(5000);
  });
});
