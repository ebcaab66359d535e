import { describe, expect, it } from 'vitest';
import { StreamClock } from './stream-clock.ts';

const chunk = (ms = 100) => new Int16Array(ms * 8);

/** Where chunks of 100 ms are placed that arrive at these times. */
function placed(arrivals: readonly number[]): [number, number][] {
  const places: [number, number][] = [];
  const clock = new StreamClock((at, sound) => places.push([at, sound.length / 8]));
  for (const at of arrivals) clock.push(chunk(), at);
  clock.flush();
  return places;
}

describe('StreamClock', () => {
  it('puts chunks one after the other, whatever the jitter of their arrival', () => {
    expect(placed([100, 230, 290, 415, 500])).toEqual([
      [0, 100],
      [100, 100],
      [200, 100],
      [300, 100],
      [400, 100],
    ]);
  });

  it('does not take a busy process for a gap: what comes late at once belongs together', () => {
    expect(placed([100, 601, 602, 603, 604, 605, 700]).map(([at]) => at)).toEqual([
      0, 100, 200, 300, 400, 500, 600,
    ]);
  });

  it('keeps a gap of the stream', () => {
    const late = [3000, 3100, 3200, 3300, 3400, 3500, 3600];
    expect(placed([100, 200, ...late]).map(([at]) => at)).toEqual([
      0, 100, 2900, 3000, 3100, 3200, 3300, 3400, 3500,
    ]);
  });

  it('keeps a gap of which the end is not awaited', () => {
    expect(placed([100, 200, 3000, 3100]).map(([at]) => at)).toEqual([0, 100, 2900, 3000]);
  });

  it('finds the time of a stream whose first chunk was late, by leaving out what is too much', () => {
    const places = placed([500, 501, 502, 503, 600, 700]);
    const [end] = places.slice(-1).map(([at, ms]) => at + ms);
    expect(end).toBeGreaterThan(690);
    expect(end).toBeLessThan(770);
  });

  it('follows a sender whose clock is 1 % slow or fast', () => {
    for (const pace of [99, 101]) {
      const arrivals = Array.from({ length: 600 }, (_, index) => 100 + index * pace);
      const places = placed(arrivals);
      for (const [index, [at]] of places.entries()) {
        expect(Math.abs(at + 100 - arrivals[index]!)).toBeLessThan(165);
      }
    }
  });
});
