import { describe, expect, test } from 'vitest';
import { resample, Resampler } from './resample.ts';

function tone(hertz: number, rate: number, samples: number): Int16Array {
  return Int16Array.from(
    { length: samples },
    (_, at) => 10_000 * Math.sin((2 * Math.PI * hertz * at) / rate),
  );
}

/** Level in dB of 10,000, without the ends where the tone begins and breaks off. */
function level(sound: Int16Array): number {
  const middle = sound.subarray(sound.length / 4, (sound.length * 3) / 4);
  const power = middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length;
  return 10 * Math.log10((2 * power) / 10_000 ** 2 + 1e-12);
}

describe('resampling', () => {
  test.each([
    [16_000, 24_000],
    [8000, 16_000],
    [16_000, 8000],
    [22_050, 16_000],
  ])('from %d to %d Hz keeps a voice as it is, in time and level', (from, to) => {
    const there = resample(tone(1000, from, from), from, to);
    expect(there).toHaveLength(to);
    const wanted = tone(1000, to, to);
    const middle = Array.from({ length: to / 2 }, (_, at) =>
      Math.abs(there[at + to / 4]! - wanted[at + to / 4]!),
    );
    expect(Math.max(...middle)).toBeLessThan(40);
  });

  test('what the lower rate cannot carry is taken out, not folded down', () => {
    expect(level(resample(tone(5000, 16_000, 16_000), 16_000, 8000))).toBeLessThan(-60);
    expect(level(resample(tone(9500, 22_050, 22_050), 22_050, 16_000))).toBeLessThan(-60);
  });

  test('no image appears above the band of the lower rate', () => {
    const wide = resample(tone(3000, 8000, 8000), 8000, 16_000);
    const wanted = tone(3000, 16_000, 16_000);
    expect(level(wide.map((sample, at) => sample - wanted[at]!))).toBeLessThan(-50);
  });

  test('a stream gives the same sound as the whole, whatever its pieces', () => {
    const sound = tone(700, 8000, 8000);
    const whole = resample(sound, 8000, 16_000);
    const stream = new Resampler(8000, 16_000);
    const pieces: number[] = [];
    for (let at = 0; at < sound.length; at += 160) {
      const piece = stream.process(sound.subarray(at, at + 160));
      expect(piece).toHaveLength(320);
      pieces.push(...piece);
    }
    const delay = stream.delaySamples;
    expect(pieces.slice(delay)).toEqual([...whole.subarray(0, whole.length - delay)]);
  });
});
