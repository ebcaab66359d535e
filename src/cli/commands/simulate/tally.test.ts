import { expect, it } from 'vitest';
import { spreadOf, Tally } from './tally.ts';

const outcome = (passed: boolean, ...times: [string, number][]) => ({
  name: 'A call',
  passed,
  calls: [{ measures: times.map(([name, ms]) => ({ name, ms })) }],
});

it('finds the spread of times however they are ordered', () => {
  expect(spreadOf([700])).toEqual({ n: 1, min: 700, median: 700, p95: 700, max: 700 });
  expect(spreadOf([400, 1000, 300, 500])).toEqual({
    n: 4,
    min: 300,
    median: 450,
    p95: 1000,
    max: 1000,
  });
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(spreadOf(hundred)).toEqual({ n: 100, min: 1, median: 51, p95: 95, max: 100 });
});

it('counts the runs of each file, and keeps the times of those that failed', () => {
  const tally = new Tally();
  tally.add('a.yaml', outcome(true, ['dialling_to_answer', 400], ['caller_to_reply', 700]));
  tally.add('a.yaml', outcome(false, ['dialling_to_answer', 1200]));
  tally.add('b.yaml', outcome(true));
  expect(tally.conversations).toEqual([
    {
      name: 'A call',
      runs: 2,
      passed: 1,
      hesitations: 0,
      cutIns: 0,
      measures: {
        dialling_to_answer: { n: 2, min: 400, median: 800, p95: 1200, max: 1200 },
        caller_to_reply: { n: 1, min: 700, median: 700, p95: 700, max: 700 },
      },
    },
    { name: 'A call', runs: 1, passed: 1, hesitations: 0, cutIns: 0, measures: {} },
  ]);
});

it('prints a table for each conversation', () => {
  const tally = new Tally();
  tally.add('a.yaml', outcome(true, ['dialling_to_answer', 1200]));
  expect(tally.toString()).toBe(
    [
      'A call: 1 of 1 passed',
      '  ms                                 n     min  median     p95     max',
      '  dialling to answer                 1   1,200   1,200   1,200   1,200',
    ].join('\n'),
  );
});

it('says how often the agent cut in', () => {
  const tally = new Tally();
  const calls = [{ measures: [], hesitations: 3, cutIns: 1 }];
  for (const file of ['a.yaml', 'a.yaml']) tally.add(file, { name: 'A call', passed: true, calls });
  expect(tally.toString()).toContain('the agent cut in on 2 of 6 hesitant turns');
});
