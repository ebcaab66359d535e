import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import type { Personality } from '../personality/personality.ts';
import type { SpeechComponents } from '../personality/providers/create-speech-components.ts';
import { UsageMeter } from './usage-meter.ts';

const components = {
  stt: { provider: 'deepgram', model: 'nova-3' },
  llm: { provider: 'openai', model: 'gpt-4.1-mini' },
  tts: { provider: 'azure', voice: 'de-DE-KatjaNeural' },
} as Personality['components'];

class Ears extends EventEmitter {
  readonly flush = vi.fn();
  stream(): object {
    return { flush: this.flush };
  }
}

/** Vendors' components whose metrics the test tells. */
function aCall({ streamingVoice = false } = {}) {
  const ears = new Ears();
  const { flush } = ears;
  const parts = {
    stt: ears,
    llm: new EventEmitter(),
    tts: Object.assign(new EventEmitter(), { capabilities: { streaming: streamingVoice } }),
  };
  const speech = parts as unknown as SpeechComponents;
  const meter = new UsageMeter({ components }, speech);
  const tell = (part: keyof typeof parts, metrics: object) =>
    parts[part].emit('metrics_collected', metrics);
  return { meter, parts, speech, tell, flush };
}

describe('UsageMeter', () => {
  it('adds up each vendor by what it bills, under the names of the personality', () => {
    const { meter, tell } = aCall();
    tell('stt', { audioDurationMs: 5000, inputTokens: 0, outputTokens: 0 });
    tell('stt', { audioDurationMs: 1500 });
    tell('llm', { promptTokens: 100, promptCachedTokens: 64, completionTokens: 10 });
    tell('llm', { promptTokens: 150, promptCachedTokens: 0, completionTokens: 20 });
    tell('tts', { streamed: false, charactersCount: 40, audioDurationMs: 2100 });
    expect(meter.usage).toEqual([
      { component: 'stt', provider: 'deepgram', model: 'nova-3', audioMs: 6500 },
      {
        component: 'llm',
        provider: 'openai',
        model: 'gpt-4.1-mini',
        inputTokens: 250,
        cachedTokens: 64,
        outputTokens: 30,
      },
      { component: 'tts', provider: 'azure', characters: 40, audioMs: 2100 },
    ]);
  });

  it('counts the tokens of a voice that is billed by them', () => {
    const { meter, tell } = aCall();
    tell('tts', { streamed: false, charactersCount: 40, audioDurationMs: 2100, inputTokens: 9 });
    expect(meter.usage).toMatchObject([{ component: 'tts', characters: 40, inputTokens: 9 }]);
  });

  it.each([
    [false, 40],
    [true, 70],
  ])('counts a voice once, where it streams itself (%s) and where not', (streamingVoice, count) => {
    const { meter, tell } = aCall({ streamingVoice });
    tell('tts', { streamed: false, charactersCount: 40, audioDurationMs: 1 });
    tell('tts', { streamed: true, charactersCount: 30, audioDurationMs: 1 });
    expect(meter.usage).toMatchObject([{ characters: count }]);
  });

  it('names nobody who was not used', () => {
    const { meter, tell } = aCall();
    tell('llm', { promptTokens: 0, promptCachedTokens: 0, completionTokens: 0 });
    expect(meter.usage).toEqual([]);
  });

  it('has the ears tell the rest before they are closed, also where they are closed already', () => {
    const { meter, speech, flush } = aCall();
    speech.stt.stream();
    flush.mockImplementation(() => {
      throw new Error('Stream is closed');
    });
    expect(() => meter.settle()).not.toThrow();
    expect(flush).toHaveBeenCalledTimes(1);
  });

  it('leaves the components as they were', () => {
    const { meter, parts, tell } = aCall();
    meter.close();
    tell('llm', { promptTokens: 1, promptCachedTokens: 0, completionTokens: 1 });
    expect(meter.usage).toEqual([]);
    for (const part of Object.values(parts)) expect(part.eventNames()).toEqual([]);
    expect(Object.hasOwn(parts.stt, 'stream')).toBe(false);
  });
});
