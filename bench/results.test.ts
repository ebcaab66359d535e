import { describe, expect, it } from 'vitest';
import { merge, type Result } from './results.ts';

function soak(of: Pick<Result, 'system' | 'at'>): Result {
  const value = { calls: 10, unheard: 0, memoryMb: [], growth: 0, seconds: 1 };
  return { ...of, load: [0, 0], quick: false, figures: { measure: 'soak', value } };
}

describe('results of several runs', () => {
  it('put the newer in the place of the older of one measurement and system', () => {
    const old = soak({ system: 'trunkline', at: 'monday' });
    const other = soak({ system: 'stock', at: 'monday' });
    const now = soak({ system: 'trunkline', at: 'tuesday' });
    expect(merge([old, other], [now])).toEqual([other, now]);
  });

  it('let a failure replace the figures of the same measurement, and the other way round', () => {
    const good = soak({ system: 'trunkline', at: 'monday' });
    const failed: Result = {
      ...good,
      at: 'tuesday',
      figures: { measure: 'failed', of: 'soak', value: 'no agent answers' },
    };
    expect(merge([good], [failed])).toEqual([failed]);
    expect(merge([failed], [good])).toEqual([good]);
  });
});
