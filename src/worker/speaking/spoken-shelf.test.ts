import { AudioFrame } from '@livekit/rtc-node';
import { expect, it } from 'vitest';
import { SpokenShelf } from './spoken-shelf.ts';

const sound = (value: number) => [new AudioFrame(new Int16Array(100).fill(value), 8000, 1, 100)];
const values = (frames: AudioFrame[] | undefined) => frames?.map(({ data }) => data[0]);

it('gives what was kept, each time in frames of its own', () => {
  const shelf = new SpokenShelf();
  expect(shelf.take('a')).toBeUndefined();
  shelf.keep('a', sound(7));
  const [first, second] = [shelf.take('a'), shelf.take('a')];
  expect([values(first), values(second)]).toEqual([[7], [7]]);
  expect(first?.[0]).not.toBe(second?.[0]);
});

it('forgets what was used longest ago when it is full, and keeps nothing that fills it', () => {
  const shelf = new SpokenShelf(800);
  for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) shelf.keep(key, sound(index));
  shelf.take('a');
  shelf.keep('e', sound(4));
  expect(['a', 'b', 'c', 'd', 'e'].filter((key) => shelf.take(key))).toEqual(['a', 'c', 'd', 'e']);
  shelf.keep('long', [...sound(1), ...sound(2)]);
  expect(shelf.take('long')).toBeUndefined();
});
