import { beforeEach, expect, it } from 'vitest';
import { BeatObserver, type Lives } from './beat-observer.ts';

let observer: BeatObserver;
let now: number;

beforeEach(() => {
  observer = new BeatObserver();
  now = 1_000_000;
});

/** Looks twice a second for so long; `beatOf` says what each host's beat is at that moment. */
function watch(forMs: number, beatOf: (id: string) => string | undefined, ...ids: string[]): Lives {
  let lives: Lives = () => false;
  for (const end = now + forMs; now < end;) {
    now += 500;
    lives = look(beatOf, ...ids);
  }
  return lives;
}

function look(beatOf: (id: string) => string | undefined, ...ids: string[]): Lives {
  const beats = ids.flatMap((id) => {
    const beat = beatOf(id);
    return beat === undefined ? [] : [[id, beat] as const];
  });
  return observer.look(Object.fromEntries(beats), ids, now);
}

const beating = () => String(now);
const stopped = () => 'the last beat';

it('takes a host for lost when its beat has stood still for 3.5 s', () => {
  watch(2000, beating, 'a', 'b');
  const dead = (id: string) => (id === 'a' ? stopped() : beating());
  const soon = watch(3500, dead, 'a', 'b');
  expect([soon('a'), soon('b')]).toEqual([true, true]);
  const later = watch(1000, dead, 'a', 'b');
  expect([later('a'), later('b'), observer.nobodyMs]).toEqual([false, true, 0]);
});

it('does not care what a beat says: clocks may be hours apart, or be put back', () => {
  let counter = 0;
  const backwards = () => String(1e12 - 3_600_000 * (counter += 1));
  expect(watch(10_000, backwards, 'a')('a')).toBe(true);
});

it('gives a host that it has not seen beat 10 s, as after its own start', () => {
  expect(watch(9000, stopped, 'a')('a')).toBe(true);
  expect(watch(2000, stopped, 'a')('a')).toBe(false);
});

it('takes a host that took its beat away, or never had one, for lost in the same way', () => {
  watch(2000, beating, 'a');
  const none = () => undefined;
  expect(watch(4500, none, 'a', 'never')('a')).toBe(false);
  expect(watch(7000, none, 'a', 'never')('never')).toBe(false);
});

it('takes nobody for lost who could not be seen for a minute, and lets everybody begin anew', () => {
  watch(2000, beating, 'a');
  now += 60_000;
  expect(look(stopped, 'a')('a')).toBe(true);
  expect(watch(9000, stopped, 'a')('a')).toBe(true);
  expect(watch(1000, beating, 'a')('a')).toBe(true);
  expect(watch(4500, stopped, 'a')('a')).toBe(false);
});

it('counts little of a time in which it slept itself', () => {
  watch(2000, beating, 'a');
  now += 4900;
  expect(look(stopped, 'a')('a')).toBe(true);
});

it('gives everybody time anew after a look that failed', () => {
  watch(2000, beating, 'a');
  watch(3000, stopped, 'a');
  observer.interrupted();
  expect(watch(9000, stopped, 'a')('a')).toBe(true);
});

it('knows for how long nobody at all has lived', () => {
  watch(2000, beating, 'a', 'b');
  expect(observer.nobodyMs).toBe(0);
  watch(10_000, stopped, 'a', 'b');
  expect(observer.nobodyMs).toBe(6500);
  observer.interrupted();
  watch(500, stopped, 'a', 'b');
  expect(observer.nobodyMs).toBe(0);
});
