import { describe, expect, it } from 'vitest';
import { callEvent } from '../call/call-event.ts';
import { newCallId } from '../call/call-id.ts';
import type { MemoryItem, Saying } from '../call/conversation-memory.ts';
import { restOf, resumptionOf } from './resumption.ts';
import { spokenWords } from './spoken-words.ts';

const call = newCallId();
const words = spokenWords('en-US');

function said(role: 'caller' | 'agent', text: string): MemoryItem {
  return {
    kind: 'event',
    event: callEvent('turn', call, { role, text, interrupted: false }),
    at: 1,
  };
}
const answered: MemoryItem = {
  kind: 'event',
  event: callEvent('call.answered', call, { personality: 'receptionist', simulated: true }),
  at: 0,
};
const greeted = [answered, said('agent', 'Hello.')];
const tool = (name: string): MemoryItem => ({ kind: 'tool', id: 't', name, args: '{}', at: 2 });
const result: MemoryItem = {
  kind: 'tool_result',
  id: 't',
  name: 'book',
  output: 'ok',
  isError: false,
  at: 3,
};

function resume(
  memory: { items: MemoryItem[]; saying?: Saying; hearing?: string; elapsedMs?: number },
  planned = false,
) {
  return resumptionOf(
    {
      facts: {
        direction: 'inbound',
        trunk: 'office',
        phone: 'p',
        personality: 'receptionist',
        hash: 'h',
        instructions: '',
        maxDurationMs: 600_000,
      },
      items: memory.items,
      saying: memory.saying ?? null,
      hearing: memory.hearing ?? '',
      answeredAt: 1_000_000,
      now: 1_000_000 + (memory.elapsedMs ?? 0),
    },
    { words, planned },
  );
}

describe('an agent that goes on with a call', () => {
  it('answers what the caller said last, a turn or less', () => {
    const asked = [...greeted, said('caller', 'When are you open?')];
    expect(resume({ items: asked })).toMatchObject({
      words: words.resumed,
      next: { kind: 'reply' },
    });
    expect(resume({ items: greeted, hearing: 'When are' }).next).toEqual({
      kind: 'reply',
      options: {},
    });
  });

  it('listens where it had answered', () => {
    expect(resume({ items: greeted })).toMatchObject({
      words: words.resumed,
      next: { kind: 'listen' },
    });
  });

  it('says the rest of what it was saying, from the beginning of the sentence', () => {
    const saying = {
      text: 'We open at eight. We close at five.',
      whole: true,
      heard: 'We open at eight. We cl',
    };
    expect(resume({ items: greeted, saying }).next).toEqual({
      kind: 'say',
      words: 'We close at five.',
    });
    expect(resume({ items: greeted, saying: { ...saying, heard: saying.text } }).next).toEqual({
      kind: 'listen',
    });
  });

  it('has the model go on where only that knows how', () => {
    const saying = { text: 'We open at', whole: false, heard: 'We' };
    expect(resume({ items: greeted, saying }).next).toMatchObject({
      kind: 'reply',
      options: { instructions: expect.stringContaining('go on with it') as string },
    });
  });

  it('goes on with what was before where the last agent was lost during its excuse', () => {
    const broken: MemoryItem = {
      kind: 'event',
      event: callEvent('turn', call, { role: 'agent', text: 'We open', interrupted: true }),
      at: 1,
    };
    const saying = { text: words.resumed, whole: true, heard: 'I am' };
    const goOn = { options: { instructions: expect.stringContaining('go on with it') as string } };
    expect(resume({ items: [...greeted, broken], saying })).toMatchObject({
      words: words.resumed,
      next: { kind: 'reply', ...goOn },
    });
    const asked = said('caller', 'When are you open?');
    const excused = said('agent', words.resumed);
    expect(resume({ items: [...greeted, asked, excused] }).next).toEqual({
      kind: 'reply',
      options: {},
    });
  });

  it('greets where nobody was greeted, without a word of excuse', () => {
    expect(resume({ items: [answered] })).toMatchObject({
      words: undefined,
      next: { kind: 'greet' },
    });
  });

  it('says its greeting to the end', () => {
    const saying = { text: 'Hello. How can I help?', whole: true, heard: 'Hello. How' };
    expect(resume({ items: [answered], saying }).next).toEqual({
      kind: 'say',
      words: 'How can I help?',
    });
  });

  it('tells the model of tools that ran or were running', () => {
    const asked = [...greeted, said('caller', 'A table.')];
    expect(resume({ items: [...asked, tool('book')] }).next).toEqual({
      kind: 'reply',
      options: {},
    });
    expect(resume({ items: [...asked, tool('book'), result] }).next).toEqual({
      kind: 'reply',
      options: {},
    });
  });

  it('ends the call where it was saying goodbye', () => {
    const items = [...greeted, said('caller', 'Bye.'), tool('end_call')];
    const saying = { text: 'Goodbye, and thank you.', whole: true, heard: 'Goodbye,' };
    expect(resume({ items, saying }).next).toEqual({ kind: 'end', words: saying.text });
    expect(resume({ items })).toMatchObject({ words: undefined, next: { kind: 'end', words: '' } });
  });

  it('makes no words about a planned change, unless something was broken off', () => {
    expect(resume({ items: greeted }, true).words).toBeUndefined();
    const saying = { text: 'We open at', whole: false, heard: 'We' };
    expect(resume({ items: greeted, saying }, true).words).toBe(words.resumed);
  });

  it('has as long as was left of the call', () => {
    expect(resume({ items: greeted, elapsedMs: 540_000 }).remainingMs).toBe(60_000);
    expect(resume({ items: greeted, elapsedMs: 700_000 }).remainingMs).toBe(1000);
  });
});

describe('the rest of some words', () => {
  it.each([
    ['One. Two. Three.', '', 'One. Two. Three.'],
    ['One. Two. Three.', 'One.', 'Two. Three.'],
    ['One. Two. Three.', 'One. Tw', 'Two. Three.'],
    ['One. Two. Three.', 'One. Two. Three.', ''],
    ['It is 3.50 now', 'It is 3.5', 'It is 3.50 now'],
    ['He said “no.” And left.', 'He said “no.” An', 'And left.'],
    ['Something else', 'not of it', 'Something else'],
  ])('%j, of which %j was heard, is %j', (text, heard, rest) => {
    expect(restOf(text, heard)).toBe(rest);
  });
});
