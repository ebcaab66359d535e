import { describe, expect, it } from 'vitest';
import { sumUp } from './latency.ts';

describe('the sum of conversations', () => {
  const conversation = (replies: number[], cutIns?: number) => ({
    name: 'turns',
    passed: true,
    calls: [
      {
        measures: replies.map((ms) => ({ name: 'caller_to_reply', ms })),
        ...(cutIns === undefined ? {} : { hesitations: 4, cutIns }),
      },
    ],
  });

  it('spreads each time over all of them, and counts who was cut in on', () => {
    const figures = sumUp([conversation([500, 700]), conversation([600], 1)]);
    expect(figures).toEqual({
      conversations: 2,
      times: { caller_to_reply: { count: 3, min: 500, p50: 600, p95: 700, max: 700 } },
      hesitations: 4,
      cutIns: 1,
    });
  });
});
