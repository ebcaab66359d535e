import { expect, it } from 'vitest';
import { PcmFrames } from './pcm-frames.ts';

it('makes frames of 40 ms whatever the pieces, and loses no sample', () => {
  const samples = Int16Array.from({ length: 2500 }, (_, index) => index);
  const bytes = new Uint8Array(samples.buffer);
  for (const size of [1, 333, 1920, 5000]) {
    const frames = new PcmFrames(24_000);
    const found = [];
    for (let at = 0; at < bytes.length; at += size) {
      found.push(...frames.take(bytes.subarray(at, at + size)));
    }
    expect(found.map((frame) => frame.samplesPerChannel)).toEqual([960, 960]);
    const rest = frames.rest();
    expect(rest?.samplesPerChannel).toBe(580);
    expect(frames.rest()).toBeUndefined();
    const all = [...found, rest].flatMap((frame) => [...(frame?.data ?? [])]);
    expect(all).toEqual([...samples]);
  }
});

it('leaves half a sample out', () => {
  const frames = new PcmFrames(8000);
  expect(frames.take(Uint8Array.of(1))).toEqual([]);
  expect(frames.rest()).toBeUndefined();
});
