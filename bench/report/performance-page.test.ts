import { describe, expect, it } from 'vitest';
import type { Result } from '../results.ts';
import { charts } from './charts.ts';
import { section, withSection } from './performance-page.ts';
import { printed } from './printed.ts';

const spread = { count: 4, min: 500, p50: 600, p95: 760, max: 760 };
const taken = {
  at: '2026-11-21T16:01:02.000Z',
  load: [0.4, 1.9] as [number, number],
  quick: false,
};

const burst = (system: Result['system'], answered: number): Result => ({
  ...taken,
  system,
  figures: {
    measure: 'burst',
    value: {
      calls: 10,
      answered,
      heard: answered,
      answerMs: spread,
      firstWordMs: spread,
      answersMs: [],
    },
  },
});
const kill: Result = {
  ...taken,
  system: 'stock',
  figures: { measure: 'kill', value: { host: { times: 1, heardAgainMs: undefined, never: 1 } } },
};
const results = [burst('trunkline', 10), burst('stock', 6), kill];
const machine = { cores: 2, model: 'Some CPU', memoryGb: 24, node: 'v24.21.0' };

describe('the page of figures', () => {
  it('has the systems beside each other, with the goal, and what was not measured left open', () => {
    const page = section({ machine, results }, ['burst.svg']);
    expect(page).toContain('2 cores (Some CPU), 24 GB, Node.js 24.21.0');
    expect(page).toContain(
      '| dialling to answer, p50 / p95, ms | ≤ 800 (p95) | 600 / 760 | 600 / 760 | – |',
    );
    expect(page).toContain('answered | all | 10 of 10 | 6 of 10 | – |');
    expect(page).toMatch(/host killed .*\| – \| never \| – \|/);
    expect(page).toContain('![burst](performance/burst.svg)');
    expect(page).toContain('| burst | agents-js, stock | 2026-11-21 16:01 | 0.4 to 1.9 | whole |');
    expect(page).not.toContain('soak');
  });

  it('stands between its marks, and leaves what others wrote as it is', () => {
    const before =
      'mine\n<!-- npm run bench: from here -->\nold\n<!-- npm run bench: to here -->\nmine too\n';
    const after = withSection(before, 'new');
    expect(after).toBe(
      'mine\n<!-- npm run bench: from here -->\n\nnew\n<!-- npm run bench: to here -->\nmine too\n',
    );
    expect(() => withSection('no marks', 'new')).toThrow(/marks/);
  });
});

describe('what is printed', () => {
  it('says what failed, and why', () => {
    const failed: Result = {
      ...taken,
      system: 'python',
      figures: { measure: 'failed', of: 'soak', value: 'no agent answers the first call' },
    };
    const text = printed([...results, failed]);
    expect(text).toMatch(/dialling to answer.*600 \/ 760 +600 \/ 760 +–/);
    expect(text).toContain('failed: soak, agents (Python), stock: no agent answers');
  });
});

describe('the plots', () => {
  it('are those of what was measured', () => {
    const plots = charts(results);
    expect([...plots.keys()]).toEqual(['burst.svg', 'loss.svg']);
    expect(plots.get('burst.svg')).toContain('760 ms, 6 of 10');
    expect(plots.get('loss.svg')).toContain('never');
  });
});
