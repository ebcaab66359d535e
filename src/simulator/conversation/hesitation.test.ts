import { expect, it } from 'vitest';
import { SAMPLE_RATE } from '../leg.ts';
import { voiceOf } from './ear.ts';
import { speakHesitantly } from './hesitation.ts';

/** 200 ms of a tone between 300 ms of silence. */
function word(): Int16Array {
  const sound = new Int16Array(0.8 * SAMPLE_RATE);
  for (let at = 0.3 * SAMPLE_RATE; at < 0.5 * SAMPLE_RATE; at += 1) {
    sound[at] = 8000 * Math.sin(at);
  }
  return sound;
}

it('pauses between the voices of the parts, not between their sounds', async () => {
  const sound = await speakHesitantly(['I,', 500, 'we'], () => Promise.resolve(word()));
  expect(sound.length).toBe(0.9 * SAMPLE_RATE);
  expect(voiceOf(sound.subarray(0, 0.3 * SAMPLE_RATE))).toEqual({ startedAt: 0, endedAt: 200 });
  expect(voiceOf(sound.subarray(0.2 * SAMPLE_RATE, 0.7 * SAMPLE_RATE))).toBeUndefined();
  expect(voiceOf(sound)).toEqual({ startedAt: 0, endedAt: 900 });
});
