import { describe, expect, it } from 'vitest';
import { slopeOf, spreadOf } from './statistics.ts';

describe('the spread of figures', () => {
  it('is by nearest rank, so that each is a figure that occurred', () => {
    expect(spreadOf([40, 10, 30, 20])).toEqual({ count: 4, min: 10, p50: 20, p95: 40, max: 40 });
  });

  it('leaves out the highest twentieth of many', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(spreadOf(hundred)).toMatchObject({ p50: 50, p95: 95, max: 100 });
  });

  it('of nothing is nothing', () => {
    expect(spreadOf([])).toBeUndefined();
  });
});

describe('what a further one adds', () => {
  it('is the slope of the straight line through all points', () => {
    const points = [1, 3, 6].map((x) => ({ x, y: 200 + 12 * x }));
    expect(slopeOf(points)).toBeCloseTo(12);
  });

  it('is not thrown off by what was there before', () => {
    const low = [1, 2, 4].map((x) => ({ x, y: 5 * x }));
    const high = low.map(({ x, y }) => ({ x, y: y + 1000 }));
    expect(slopeOf(high)).toBeCloseTo(slopeOf(low));
  });
});
