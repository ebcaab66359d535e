import { describe, expect, it } from 'vitest';
import type { WebCall } from '../callers/web-orders.ts';
import { healthOf } from './crowd.ts';

const well: WebCall = {
  firstWordMs: 400,
  repliesMs: [700, 900],
  unanswered: 0,
  cut: undefined,
  quality: { samples: 48_000, madeUp: 480, heldBackMs: 60, jitterMs: 2 },
};

describe('the health of a crowd', () => {
  it('counts the calls that nothing befell', () => {
    const calls = [
      well,
      { ...well, unanswered: 1 },
      { ...well, cut: 'the room was closed' },
      { ...well, firstWordMs: undefined },
    ];
    expect(healthOf(calls).healthy).toBe(1);
  });

  it('sums up how the sound arrived at all callers', () => {
    const loud = { ...well, quality: { samples: 144_000, madeUp: 0, heldBackMs: 80, jitterMs: 4 } };
    expect(healthOf([well, loud])).toMatchObject({
      madeUpShare: 0.0025,
      heldBackMs: { p50: 60, max: 80 },
      replyMs: { count: 4, p50: 700, max: 900 },
    });
  });

  it('knows nothing of sound where no caller could say', () => {
    expect(healthOf([{ ...well, quality: undefined }])).toMatchObject({
      madeUpShare: 0,
      heldBackMs: undefined,
    });
  });
});
