import { describe, expect, it } from 'vitest';
import { growthOf, stagesOf } from './soak.ts';

describe('a soak', () => {
  it('looks at the memory after a tenth of the calls first, and after all at last', () => {
    expect(stagesOf(1000)).toEqual([100, 250, 500, 750, 1000]);
  });

  it('has fewer stages where calls are few', () => {
    expect(stagesOf(2)).toEqual([1, 2]);
  });

  it('tells by how much memory has grown since the first look', () => {
    expect(growthOf([{ mb: 200 }, { mb: 260 }, { mb: 214 }])).toBe(0.07);
  });
});
