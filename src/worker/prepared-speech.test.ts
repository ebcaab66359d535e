import { setTimeout as delay } from 'node:timers/promises';
import type { tts } from '@livekit/agents';
import { AudioFrame } from '@livekit/rtc-node';
import { describe, expect, it } from 'vitest';
import { PreparedSpeech } from './prepared-speech.ts';
import { SpokenShelf } from './speaking/spoken-shelf.ts';

const frame = (value: number) => new AudioFrame(new Int16Array(160).fill(value), 16_000, 1, 160);

/** A voice whose sound the test gives out piece by piece. */
function handedVoice() {
  const queue: { frame: AudioFrame; final: boolean }[] = [];
  let over: { failure?: Error } | undefined;
  let closed = false;
  async function* frames() {
    for (;;) {
      const next = queue.shift();
      if (next) yield next;
      else if (over?.failure) throw over.failure;
      else if (over) return;
      else await delay(1);
    }
  }
  const source = Object.assign(frames(), { close: () => (closed = true) });
  return {
    voice: { synthesize: () => source } as unknown as tts.TTS,
    give: (value: number, final = false) => queue.push({ frame: frame(value), final }),
    finish: (failure?: Error) => (over = failure ? { failure } : {}),
    isClosed: () => closed,
  };
}

async function heard(speech: PreparedSpeech): Promise<number[]> {
  const values: number[] = [];
  for await (const { data } of speech.stream()) values.push(data[0] ?? 0);
  return values;
}

describe('PreparedSpeech', () => {
  it('gives what was made before and what comes after, in order, to each who listens', async () => {
    const { voice, give, finish } = handedVoice();
    const speech = new PreparedSpeech('Hello.', voice);
    give(1);
    await speech.ready;
    const listening = heard(speech);
    give(2);
    give(3);
    finish();
    expect(await listening).toEqual([1, 2, 3]);
    expect(await heard(speech)).toEqual([1, 2, 3]);
  });

  it('is never ready when the voice fails or stays silent', async () => {
    const failing = handedVoice();
    const failed = new PreparedSpeech('Hello.', failing.voice);
    failing.finish(new Error('no such voice'));
    await expect(failed.ready).rejects.toThrow('no such voice');
    const silent = handedVoice();
    const nothing = new PreparedSpeech('Hello.', silent.voice);
    silent.finish();
    await expect(nothing.ready).rejects.toThrow('the voice gave no sound');
  });

  it('ends its streams and the synthesis when it is closed', async () => {
    const { voice, give, isClosed } = handedVoice();
    const speech = new PreparedSpeech('Hello.', voice);
    give(1);
    await speech.ready;
    const listening = heard(speech);
    speech.close();
    expect(await listening).toEqual([1]);
    expect(isClosed()).toBe(true);
  });

  it('keeps what was said to its end for the next who says it', async () => {
    const memory = { shelf: new SpokenShelf(), key: 'voice and text' };
    const { voice, give, finish } = handedVoice();
    const first = new PreparedSpeech('Hello.', voice, memory);
    give(1);
    give(2, true);
    finish();
    expect(await heard(first)).toEqual([1, 2]);
    const asked = { synthesize: () => expect.fail('the voice is asked again') };
    const second = new PreparedSpeech('Hello.', asked as unknown as tts.TTS, memory);
    await second.ready;
    expect(await heard(second)).toEqual([1, 2]);
    second.close();
  });

  it('keeps nothing of a voice that ended in the middle', async () => {
    const memory = { shelf: new SpokenShelf(), key: 'voice and text' };
    const { voice, give, finish } = handedVoice();
    const speech = new PreparedSpeech('Hello.', voice, memory);
    give(1);
    finish();
    expect(await heard(speech)).toEqual([1]);
    expect(memory.shelf.take(memory.key)).toBeUndefined();
  });
});
