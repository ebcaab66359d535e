import type { tts } from '@livekit/agents';
import { AudioResampler, type AudioFrame } from '@livekit/rtc-node';
import { apologyLanguage, apologyText } from '../../call/apology/apology-text.ts';
import { APOLOGY_RATE } from '../../call/apology/recorded-apology.ts';
import { buildTts } from '../../personality/providers/create-speech-components.ts';
import type { Personality } from '../../personality/personality.ts';
import type { Config } from '../../platform/config.ts';
import { PCMU } from '../../platform/g711.ts';
import { withinMs } from '../../platform/time-limit.ts';

/** With the retries of the framework. */
const LIMIT_MS = 30_000;

/** Lets the vendor of a personality say the apology. @throws where it does not. */
export async function speakApology(personality: Personality, config: Config): Promise<Buffer> {
  const { components, language } = personality;
  const voice = await buildTts(components.tts, { config, language, vad: undefined });
  try {
    const stream = voice.synthesize(apologyText(apologyLanguage(language)));
    try {
      return await withinMs(LIMIT_MS, asTelephoneSound(stream));
    } finally {
      stream.close();
    }
  } finally {
    await voice.close();
  }
}

async function asTelephoneSound(stream: tts.ChunkedStream): Promise<Buffer> {
  const sound: Buffer[] = [];
  const add = (frames: readonly AudioFrame[]) => {
    for (const { data } of frames) sound.push(PCMU.encode(data));
  };
  let resampler: AudioResampler | undefined;
  try {
    for await (const { frame } of stream) {
      if (frame.sampleRate === APOLOGY_RATE) {
        add([frame]);
        continue;
      }
      resampler ??= new AudioResampler(frame.sampleRate, APOLOGY_RATE, 1);
      add(resampler.push(frame));
    }
    if (resampler) add(resampler.flush());
  } finally {
    resampler?.close();
  }
  return Buffer.concat(sound);
}
