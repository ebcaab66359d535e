import { setTimeout as sleep } from 'node:timers/promises';
import { llm, type APIConnectOptions, type stt, type tts } from '@livekit/agents';
import { AudioFrame } from '@livekit/rtc-node';
import type { Config } from '../../platform/config.ts';
import { asError } from '../../platform/errors.ts';
import type { Personality } from '../personality.ts';
import { buildLlm, buildStt, buildTts } from './create-speech-components.ts';
import { explainFailure, type LiveFailure } from './live-failure.ts';
import { vendorAnswer, type Failing } from './vendor-answer.ts';

export type LiveCheck = { component: 'stt' | 'llm' | 'tts'; provider: string } & (
  | { ok: true; /** Until the first sign of an answer. */ ms: number }
  | ({ ok: false } & LiveFailure)
);

const SAMPLE_RATE = 16_000;

/** A second of sound: long enough for a vendor to refuse the model after it has taken the connection. */
const SOUND_FRAMES = 50;
const FRAME_MS = 20;

/**
 * Makes one real request to each vendor of a personality, through the same plugins as a call. It costs a
 * fraction of a cent. The framework's logger must be there (`initializeLogger`).
 *
 * The framework leaves the promise of a failed synthesis unhandled, after it has reported the failure: the
 * process must tolerate that (`unhandledRejection`).
 */
export async function checkLive(
  personality: Personality,
  options: { config: Config; timeoutMs: number },
): Promise<LiveCheck[]> {
  const { stt, llm, tts } = personality.components;
  const context = { config: options.config, language: personality.language, vad: undefined };
  const connOptions = { maxRetry: 0, retryIntervalMs: 0, timeoutMs: options.timeoutMs };
  const attempts = [
    {
      component: 'stt',
      options: stt,
      run: async () => hear(await buildStt(stt, context), connOptions),
    },
    {
      component: 'llm',
      options: llm,
      run: async () => think(await buildLlm(llm, context), connOptions),
    },
    {
      component: 'tts',
      options: tts,
      run: async () => speak(await buildTts(tts, context), connOptions),
    },
  ] as const;
  return Promise.all(
    attempts.map(async ({ component, options: vendor, run }): Promise<LiveCheck> => {
      const { provider } = vendor;
      try {
        return { component, provider, ok: true, ms: Math.round(await run()) };
      } catch (thrown) {
        return { component, provider, ok: false, ...explainFailure(asError(thrown), vendor) };
      }
    }),
  );
}

/** Time in ms until `answer` resolves. @throws as `vendorAnswer` does. */
async function timed(
  component: Failing,
  timeoutMs: number,
  answer: () => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  return vendorAnswer(component, { timeoutMs }, async () => {
    await answer();
    return performance.now() - start;
  });
}

/** Time until the first result; a tone may have none, then from the end of the sound to that of the answer. */
async function hear(component: stt.STT, connOptions: APIConnectOptions): Promise<number> {
  if (!component.capabilities.streaming) {
    return timed(component, connOptions.timeoutMs, async () => {
      await component.recognize(Array.from({ length: SOUND_FRAMES }, (_, index) => tone(index)));
    });
  }
  const stream = component.stream({ connOptions });
  let toldAtEnd = true;
  const feed = async () => {
    // At the pace of a call: a stream whose input has ended too soon does not even connect.
    for (let index = 0; index < SOUND_FRAMES; index += 1) {
      stream.pushFrame(tone(index));
      await sleep(FRAME_MS);
    }
    stream.endInput();
  };
  const ended = async () => {
    for await (const _ of stream) {
      toldAtEnd = false;
      return;
    }
  };
  // The feed may go on after a failure; then the stream refuses it.
  const feeding = feed().catch(() => undefined);
  try {
    const ms = await timed(component, connOptions.timeoutMs, ended);
    return toldAtEnd ? Math.max(0, ms - SOUND_FRAMES * FRAME_MS) : ms;
  } finally {
    stream.close();
    await feeding;
  }
}

async function think(component: llm.LLM, connOptions: APIConnectOptions): Promise<number> {
  const chatCtx = llm.ChatContext.empty();
  chatCtx.addMessage({ role: 'user', content: 'Say yes.' });
  const stream = component.chat({ chatCtx, connOptions });
  return timed({ on: component.on.bind(component) }, connOptions.timeoutMs, async () => {
    for await (const _ of stream) return;
    throw new Error('answered with nothing');
  }).finally(() => stream.close());
}

async function speak(component: tts.TTS, connOptions: APIConnectOptions): Promise<number> {
  return timed(component, connOptions.timeoutMs, async () => {
    if (!component.capabilities.streaming) {
      for await (const _ of component.synthesize('Hello.', connOptions)) return;
      throw new Error('answered with nothing');
    }
    const stream = component.stream({ connOptions });
    stream.pushText('Hello.');
    stream.endInput();
    for await (const _ of stream) return;
    throw new Error('answered with nothing');
  });
}

/** 20 ms of a tone of 440 Hz, as loud as speech. */
function tone(index: number): AudioFrame {
  const samples = SAMPLE_RATE / 50;
  const data = Int16Array.from({ length: samples }, (_, at) =>
    Math.round(8000 * Math.sin((2 * Math.PI * 440 * (index * samples + at)) / SAMPLE_RATE)),
  );
  return new AudioFrame(data, SAMPLE_RATE, 1, samples);
}
