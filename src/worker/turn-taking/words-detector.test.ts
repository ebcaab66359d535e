import { llm } from '@livekit/agents';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WordsDetector } from './words-detector.ts';

const heard = (words: string) => {
  const context = llm.ChatContext.empty();
  context.addMessage({ role: 'user', content: words });
  return context;
};

const settled = async (promise: Promise<number>) => {
  let value: number | undefined;
  void promise.then((found) => (value = found));
  await vi.advanceTimersByTimeAsync(0);
  return () => value;
};

describe('the end of a turn by its words', () => {
  let detector: WordsDetector;
  beforeEach(() => {
    vi.useFakeTimers();
    detector = new WordsDetector({ openDelayMs: 600, silenceMs: 100 });
  });
  afterEach(() => {
    detector.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('is likely at once after a finished sentence, and unlikely where more must come', async () => {
    detector.speechEnded();
    const threshold = await detector.unlikelyThreshold();
    expect(await detector.predictEndOfTurn(heard('I need an appointment.'))).toBeGreaterThan(
      threshold,
    );
    expect(await detector.predictEndOfTurn(heard('I need an'))).toBeLessThan(threshold);
    expect(await detector.predictEndOfTurn(llm.ChatContext.empty())).toBeLessThan(threshold);
  });

  it('is waited for where nothing tells, from the end of speech on', async () => {
    detector.speechEnded();
    await vi.advanceTimersByTimeAsync(200);
    const answer = await settled(detector.predictEndOfTurn(heard('My name is Anna')));
    await vi.advanceTimersByTimeAsync(299);
    expect(answer()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(answer()).toBe(1);
    expect(await detector.predictEndOfTurn(heard('My name is Anna'))).toBe(1);
  });

  it('is not waited for any more when speech begins again, or all is over', async () => {
    detector.speechEnded();
    const first = await settled(detector.predictEndOfTurn(heard('My name is Anna')));
    detector.speechBegan();
    await vi.advanceTimersByTimeAsync(0);
    expect(first()).toBe(1);
    detector.speechEnded();
    const second = await settled(detector.predictEndOfTurn(heard('My name is Anna')));
    detector.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(second()).toBe(1);
    const third = await settled(detector.predictEndOfTurn(heard('My name is Anna')));
    expect(third()).toBe(1);
  });
});
