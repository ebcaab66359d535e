import { expect, it } from 'vitest';
import { LogSampler } from './log-sampler.ts';

const taken = (sampler: LogSampler, count: number, now: number) =>
  Array.from({ length: count }, () => sampler.takes(now)).filter(Boolean).length;

it('takes every line while there are few', () => {
  const sampler = new LogSampler({ perSecond: 50, oneIn: 100 });
  for (const now of [0, 1000, 2000, 3000]) expect(taken(sampler, 50, now)).toBe(50);
  expect(sampler.takeLeftOut()).toBe(0);
});

it('takes a sample of those beyond, and tells once how many it left out', () => {
  const sampler = new LogSampler({ perSecond: 50, oneIn: 100 });
  expect(taken(sampler, 550, 7000)).toBe(50 + 5);
  expect(sampler.takeLeftOut()).toBe(495);
  expect(sampler.takeLeftOut()).toBe(0);
});

it('takes every line again in the next second', () => {
  const sampler = new LogSampler({ perSecond: 2, oneIn: 1000 });
  expect(taken(sampler, 10, 999)).toBe(3);
  expect(taken(sampler, 2, 1000)).toBe(2);
});
