import { setTimeout as sleep } from 'node:timers/promises';
import { llm, stt as speech, type APIConnectOptions, type tts } from '@livekit/agents';
import { AudioFrame, AudioResampler } from '@livekit/rtc-node';
import { vendorAnswer } from './vendor-answer.ts';

/** One turn without a call: what is heard of a recording, what is answered, and how it sounds. */

/** Sound of one channel, signed 16 bit. */
type Sound = { samples: Int16Array; sampleRate: number };
type Limit = { timeoutMs: number; signal: AbortSignal };

const SAMPLE_RATE = 16_000;
const FRAME_MS = 100;
/** Vendors of streamed recognition take sound somewhat faster than it is spoken, not all at once. */
const FEED_SPEED = 10;

/** What was said. Empty where the vendor heard no words. @throws as `vendorAnswer` does. */
export async function hear(component: speech.STT, sound: Sound, limit: Limit): Promise<string> {
  const frames = framesOf(sound);
  if (!component.capabilities.streaming) {
    return vendorAnswer(component, limit, async () => {
      const event = await component.recognize(frames, limit.signal);
      return event.alternatives?.[0]?.text.trim() ?? '';
    });
  }
  // A stream that has to connect again when its input has ended does not: it would seem to have heard nothing.
  const stream = component.stream({ connOptions: onceWithin(limit) });
  const over = new AbortController();
  const feed = async () => {
    for (const frame of frames) {
      stream.pushFrame(frame);
      await sleep(FRAME_MS / FEED_SPEED, undefined, { signal: over.signal });
    }
    stream.endInput();
  };
  // It is refused by a stream that has failed, which tells so itself.
  const feeding = feed().catch(() => undefined);
  try {
    return await vendorAnswer(component, limit, async () => {
      const said: string[] = [];
      for await (const event of stream) {
        const text = event.alternatives?.[0]?.text.trim() ?? '';
        if (event.type === speech.SpeechEventType.FINAL_TRANSCRIPT && text !== '') said.push(text);
      }
      return said.join(' ');
    });
  } finally {
    over.abort();
    stream.close();
    await feeding;
  }
}

/** What the agent answers. @throws as `vendorAnswer` does, and where the answer has no words. */
export async function think(
  component: llm.LLM,
  turn: { instructions: string; heard: string },
  limit: Limit,
): Promise<{ text: string; firstTokenMs: number }> {
  const chatCtx = llm.ChatContext.empty();
  chatCtx.addMessage({ role: 'system', content: turn.instructions });
  chatCtx.addMessage({ role: 'user', content: turn.heard });
  const start = performance.now();
  const stream = component.chat({ chatCtx, connOptions: onceWithin(limit) });
  const closing = { on: component.on.bind(component), close: async () => stream.close() };
  return vendorAnswer(closing, limit, async () => {
    let text = '';
    let firstTokenMs: number | undefined;
    for await (const chunk of stream) {
      const content = chunk.delta?.content ?? '';
      if (content !== '') firstTokenMs ??= performance.now() - start;
      text += content;
    }
    if (firstTokenMs === undefined) throw new Error('answered with nothing');
    return { text: text.trim(), firstTokenMs };
  });
}

/** How the words sound. @throws as `vendorAnswer` does, and where there is no sound. */
export async function speak(
  component: tts.TTS,
  text: string,
  limit: Limit,
): Promise<Sound & { firstByteMs: number }> {
  const start = performance.now();
  return vendorAnswer(component, limit, async () => {
    const parts: Int16Array[] = [];
    let firstByteMs: number | undefined;
    let sampleRate = SAMPLE_RATE;
    for await (const { frame } of component.synthesize(text, onceWithin(limit), limit.signal)) {
      firstByteMs ??= performance.now() - start;
      ({ sampleRate } = frame);
      // The frame's memory may be used again.
      parts.push(frame.data.slice());
    }
    if (firstByteMs === undefined) throw new Error('answered with nothing');
    return { samples: joined(parts), sampleRate, firstByteMs };
  });
}

function onceWithin({ timeoutMs }: Limit): APIConnectOptions {
  return { maxRetry: 0, retryIntervalMs: 0, timeoutMs };
}

function framesOf({ samples, sampleRate }: Sound): AudioFrame[] {
  const resampled: Int16Array[] = [];
  if (sampleRate === SAMPLE_RATE) {
    resampled.push(samples);
  } else {
    const resampler = new AudioResampler(sampleRate, SAMPLE_RATE, 1);
    for (const frame of split(samples, sampleRate)) {
      resampled.push(...resampler.push(frame).map(({ data }) => data.slice()));
    }
    resampled.push(...resampler.flush().map(({ data }) => data.slice()));
    resampler.close();
  }
  return split(joined(resampled), SAMPLE_RATE);
}

function split(samples: Int16Array, sampleRate: number): AudioFrame[] {
  const length = Math.floor((sampleRate * FRAME_MS) / 1000);
  const frames: AudioFrame[] = [];
  for (let start = 0; start < samples.length; start += length) {
    const part = samples.slice(start, start + length);
    frames.push(new AudioFrame(part, sampleRate, 1, part.length));
  }
  return frames;
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
