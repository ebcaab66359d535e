import { expect, it } from 'vitest';
import { observe, type Observation, type Watch } from './hysteresis.ts';

const up: Observation = { state: 'up', reason: 'answers' };
const down: Observation = { state: 'down', reason: 'silent' };
const degraded: Observation = { state: 'degraded', reason: 'calls fail' };

function after(...seen: Observation[]): Watch {
  const start: Watch = { current: undefined, pending: undefined, count: 0 };
  return seen.reduce((watch, observation, index) => observe(watch, observation, index), start);
}

it('takes the first look at its word', () => {
  expect(after(down).current).toEqual({ state: 'down', reason: 'silent', since: 0 });
});

it('goes down only after three looks in a row', () => {
  expect(after(up, down, down).current?.state).toBe('up');
  expect(after(up, down, down, up, down, down).current?.state).toBe('up');
  expect(after(up, down, down, down).current).toEqual({
    state: 'down',
    reason: 'silent',
    since: 3,
  });
});

it('comes up again after two looks', () => {
  expect(after(down, up).current?.state).toBe('down');
  expect(after(down, up, up).current).toEqual({ state: 'up', reason: 'answers', since: 2 });
});

it('keeps the time of the change while the reason changes', () => {
  const other = { ...degraded, reason: 'other calls fail' };
  expect(after(degraded, other).current).toEqual({
    state: 'degraded',
    reason: 'other calls fail',
    since: 0,
  });
});
