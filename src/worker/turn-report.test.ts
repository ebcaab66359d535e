import { llm } from '@livekit/agents';
import { describe, expect, it } from 'vitest';
import { turnOf } from './turn-report.ts';

describe('turnOf', () => {
  it('tells who spoke, and the stages in milliseconds', () => {
    const message = llm.ChatMessage.create({
      role: 'assistant',
      content: ' Good morning. ',
      metrics: { llmNodeTtft: 0.0841, ttsNodeTtfb: 0.195, e2eLatency: 0.802 },
    });
    expect(turnOf(message)).toEqual({
      role: 'agent',
      text: 'Good morning.',
      interrupted: false,
      latency: { llmFirstToken: 84, ttsFirstByte: 195, total: 802 },
    });
  });

  it('counts a transcript that was there before the speech ended as no delay', () => {
    const message = llm.ChatMessage.create({
      role: 'user',
      content: 'Yes.',
      metrics: { transcriptionDelay: -0.04, endOfTurnDelay: 0.26, stoppedSpeakingAt: 1000 },
    });
    expect(turnOf(message)?.latency).toEqual({
      transcription: 0,
      endOfTurn: 260,
      decidedAt: 1_000_260,
    });
  });

  it('keeps of an interrupted sentence what had been heard', () => {
    const message = llm.ChatMessage.create({
      role: 'assistant',
      content: 'On Tuesday there is a free slot.',
      interrupted: true,
    });
    expect(turnOf(message, { heard: 'On Tuesday ' })).toMatchObject({
      text: 'On Tuesday',
      interrupted: true,
    });
    expect(turnOf(message, { heard: '' })).toBeUndefined();
    expect(turnOf(message)?.text).toBe('On Tuesday there is a free slot.');
  });

  it('says when the agent spoke, and when it fell silent where it was broken off', () => {
    const metrics = { startedSpeakingAt: 2000, stoppedSpeakingAt: 2003 };
    const message = (interrupted: boolean) =>
      llm.ChatMessage.create({ role: 'assistant', content: 'On Tuesday.', interrupted, metrics });
    const cut = { silentAt: 2_001_500 };
    expect(turnOf(message(true), cut)?.latency).toMatchObject({
      spokeAt: 2_000_000,
      silentAt: 2_001_500,
    });
    expect(turnOf(message(false), cut)?.latency?.silentAt).toBeUndefined();
  });

  it('says nothing of messages that were not spoken', () => {
    const instructions = llm.ChatMessage.create({ role: 'system', content: 'Be polite.' });
    const empty = llm.ChatMessage.create({ role: 'assistant', content: '' });
    expect([turnOf(instructions), turnOf(empty)]).toEqual([undefined, undefined]);
  });
});
