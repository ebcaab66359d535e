import { SAMPLE_RATE } from '../leg.ts';
import { voiceOf } from './ear.ts';

const SAMPLES_A_MS = SAMPLE_RATE / 1000;

/** A line with pauses in it: so long from the last sound of a part to the first of the next. */
export async function speakHesitantly(
  parts: readonly (string | number)[],
  say: (text: string) => Promise<Int16Array>,
): Promise<Int16Array> {
  const sounds = await Promise.all(
    parts.map(async (part) =>
      typeof part === 'number' ? new Int16Array(part * SAMPLES_A_MS) : trimmed(await say(part)),
    ),
  );
  const whole = new Int16Array(sounds.reduce((samples, { length }) => samples + length, 0));
  let at = 0;
  for (const sound of sounds) {
    whole.set(sound, at);
    at += sound.length;
  }
  return whole;
}

/** Only what is voice: the silence around it would lengthen the pauses. */
function trimmed(sound: Int16Array): Int16Array {
  const voice = voiceOf(sound);
  return voice
    ? sound.subarray(voice.startedAt * SAMPLES_A_MS, voice.endedAt * SAMPLES_A_MS)
    : sound;
}
