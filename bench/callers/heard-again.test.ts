import { describe, expect, it } from 'vitest';
import { heardAgainAfter } from './heard-again.ts';

describe('hearing an agent again after a loss', () => {
  const sentence = { startedAt: 4000, endedAt: 5300 };

  it('counts from the loss to the next agent’s first sound', () => {
    const spans = [sentence, { startedAt: 6900, endedAt: 7500 }];
    expect(heardAgainAfter(spans, 5000)).toBe(1900);
  });

  it('does not take what was still on its way for the next agent', () => {
    expect(heardAgainAfter([sentence, { startedAt: 5450, endedAt: 5600 }], 5000)).toBeUndefined();
  });

  it('does not take a click for an agent', () => {
    const spans = [{ startedAt: 6000, endedAt: 6040 }];
    expect(heardAgainAfter(spans, 5000)).toBeUndefined();
  });
});
