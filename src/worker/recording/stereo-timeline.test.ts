import { describe, expect, it } from 'vitest';
import { PCMU } from '../../platform/g711.ts';
import { StereoTimeline } from './stereo-timeline.ts';

const tone = (ms: number, value = 8031 * 2) => new Int16Array(ms * 8).fill(value);

/** Stretches of sound of one side, in ms. */
function stretches(bytes: Buffer, channel: 0 | 1): [number, number][] {
  const samples = PCMU.decode(bytes.filter((_, index) => index % 2 === channel));
  const found: [number, number][] = [];
  for (let ms = 0; ms < samples.length / 8; ms += 1) {
    if (samples[ms * 8] === 0) continue;
    const last = found.at(-1);
    if (last?.[1] === ms) last[1] = ms + 1;
    else found.push([ms, ms + 1]);
  }
  return found;
}

describe('StereoTimeline', () => {
  it('has the caller left and the agent right, each at its time, and silence elsewhere', () => {
    const timeline = new StereoTimeline(1000);
    timeline.add('agent', 1300, tone(100));
    timeline.add('caller', 1100, tone(50));
    const bytes = timeline.take(1500);
    expect(bytes.length).toBe(500 * 16);
    expect(stretches(bytes, 0)).toEqual([[100, 150]]);
    expect(stretches(bytes, 1)).toEqual([[300, 400]]);
  });

  it('gives each moment once, whatever the size of the takings', () => {
    const timeline = new StereoTimeline(0);
    timeline.add('caller', 0, tone(1000));
    const taken = [100, 100, 50, 333.3, 1000].map((until) => timeline.take(until));
    expect(stretches(Buffer.concat(taken), 0)).toEqual([[0, 1000]]);
    expect(taken.map(({ length }) => length)).toEqual([1600, 0, 0, 3732, 10_668]);
  });

  it('takes back what has not been taken', () => {
    const timeline = new StereoTimeline(0);
    timeline.add('agent', 0, tone(500));
    timeline.take(100);
    timeline.cut('agent', 50);
    timeline.add('agent', 300, tone(50));
    expect(stretches(timeline.take(600), 1)).toEqual([[200, 250]]);
  });

  it('mixes two voices of one side without overflow', () => {
    const timeline = new StereoTimeline(0);
    timeline.add('caller', 0, tone(10, 30_000));
    timeline.add('caller', 0, tone(10, 30_000));
    const [first] = PCMU.decode(timeline.take(10));
    expect(first).toBeGreaterThan(30_000);
  });

  it('leaves out what comes after its time was taken, or lies too far ahead', () => {
    const timeline = new StereoTimeline(0);
    timeline.take(1000);
    timeline.add('caller', 900, tone(200));
    timeline.add('agent', 6000, tone(100));
    const bytes = timeline.take(10_000);
    expect(bytes.length).toBe(9000 * 16);
    expect(stretches(bytes, 0)).toEqual([[0, 100]]);
    expect(stretches(bytes, 1)).toEqual([]);
  });
});
