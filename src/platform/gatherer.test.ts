import { expect, it, vi } from 'vitest';
import { Gatherer } from './gatherer.ts';

const done = <R>(value: R): PromiseSettledResult<R> => ({ status: 'fulfilled', value });

/** Runs that end when the test says so. */
function heldRuns() {
  const runs: { items: readonly number[]; end: PromiseWithResolvers<void> }[] = [];
  const run = async (items: readonly number[]) => {
    const end = Promise.withResolvers<void>();
    runs.push({ items, end });
    await end.promise;
    return items.map((item) => done(item * 10));
  };
  return { runs, run };
}

it('hands what came during a run to the next one, in the order in which it came', async () => {
  const { runs, run } = heldRuns();
  const gatherer = new Gatherer(run, 100);
  const first = gatherer.add(1);
  await vi.waitFor(() => expect(runs).toHaveLength(1));
  const rest = [2, 3, 4].map((item) => gatherer.add(item));
  runs[0]?.end.resolve();
  expect(await first).toBe(10);
  await vi.waitFor(() => expect(runs).toHaveLength(2));
  runs[1]?.end.resolve();
  expect(await Promise.all(rest)).toEqual([20, 30, 40]);
  expect(runs.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
});

it('gives no run more than it may have', async () => {
  const sizes: number[] = [];
  const gatherer = new Gatherer(async (items: readonly number[]) => {
    sizes.push(items.length);
    return items.map(done);
  }, 2);
  await Promise.all([1, 2, 3, 4, 5].map((item) => gatherer.add(item)));
  expect(sizes).toEqual([2, 2, 1]);
});

it('fails the item that failed and no other, and all where the run itself fails', async () => {
  const gatherer = new Gatherer(async (items: readonly number[]) => {
    if (items.includes(0)) throw new Error('run');
    return items.map((item) =>
      item < 0 ? { status: 'rejected' as const, reason: new Error('item') } : done(item),
    );
  }, 100);
  const mixed = await Promise.allSettled([gatherer.add(1), gatherer.add(-1), gatherer.add(2)]);
  expect(mixed.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const broken = await Promise.allSettled([gatherer.add(1), gatherer.add(0)]);
  expect(broken.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await gatherer.add(3)).toBe(3);
});
