import type { Config } from '../../platform/config.ts';
import { asError } from '../../platform/errors.ts';
import { pcmWavFile } from '../../platform/pcm-wav.ts';
import type { Personality } from '../../personality/personality.ts';
import type { VendorOptions } from '../../personality/providers/component-options.ts';
import {
  buildLlm,
  buildStt,
  buildTts,
} from '../../personality/providers/create-speech-components.ts';
import { explainFailure } from '../../personality/providers/live-failure.ts';
import { hear, speak, think } from '../../personality/providers/one-turn.ts';
import { renderInstructions } from '../../personality/render.ts';
import type { Sound, SoundDecoder } from './sound-decoder.ts';
import { TurnError, type TurnRequest, type TurnResult } from './speech-message.ts';

/** Longest that one vendor may take for a turn. */
const VENDOR_LIMIT_MS = 30_000;

/**
 * Hears, thinks and speaks once, each stage when the one before is done.
 *
 * @throws TurnError where there is no answer
 */
export async function answerTurn(
  config: Config,
  turn: {
    personality: Personality;
    request: TurnRequest;
    decoder: SoundDecoder;
    signal: AbortSignal;
  },
): Promise<TurnResult> {
  const { personality, request, decoder, signal } = turn;
  const sound = await decoder.end();
  const context = { config, language: personality.language, vad: undefined };
  const { stt, llm, tts } = personality.components;
  const limit = { timeoutMs: VENDOR_LIMIT_MS, signal };
  const instructions = instructionsOf(personality, request);

  const listening = await timed(stt, 'stt', async () =>
    hear(await buildStt(stt, context), sound, limit),
  );
  const heard = listening.value;
  if (heard === '') {
    throw new TurnError('nothing_heard', `${stt.provider} heard no words in the sound.`);
  }
  const thinking = await timed(llm, 'llm', async () =>
    think(await buildLlm(llm, context), { instructions, heard }, limit),
  );
  const reply = thinking.value.text;
  const speaking = await timed(tts, 'tts', async () =>
    speak(await buildTts(tts, context), reply, limit),
  );
  return {
    heard,
    heardMs: durationMs(sound),
    reply,
    sound: pcmWavFile(speaking.value.samples, speaking.value.sampleRate),
    soundMs: durationMs(speaking.value),
    timings: {
      decode: Math.round(decoder.busyMs),
      stt: listening.ms,
      llm_first_token: Math.round(thinking.value.firstTokenMs),
      llm: thinking.ms,
      tts_first_byte: Math.round(speaking.value.firstByteMs),
      tts: speaking.ms,
    },
  };
}

function instructionsOf(personality: Personality, request: TurnRequest): string {
  try {
    return renderInstructions(personality, 'inbound', request.variables, request.prompt);
  } catch (thrown) {
    throw new TurnError('no_prompt', `${asError(thrown).message}.`, thrown);
  }
}

async function timed<T>(
  vendor: VendorOptions,
  component: string,
  run: () => Promise<T>,
): Promise<{ value: T; ms: number }> {
  const start = performance.now();
  try {
    const value = await run();
    return { value, ms: Math.round(performance.now() - start) };
  } catch (thrown) {
    const { problem, remedy } = explainFailure(asError(thrown), vendor);
    const detail = `${vendor.provider} (${component}) ${problem}. ${remedy}`;
    throw new TurnError('vendor_failed', detail, thrown);
  }
}

function durationMs({ samples, sampleRate }: Sound): number {
  return Math.round((samples.length / sampleRate) * 1000);
}
