import type { MemoryItem, Recalled } from '../call/conversation-memory.ts';
import { END_CALL } from './end-call-tool.ts';
import type { SpokenWords } from './spoken-words.ts';

/** How a conversation goes on that another agent has begun. */
export type Resumption = {
  /** First words of the new agent; absent where the far end need not know. */
  words: string | undefined;
  next: Next;
  /** Of the longest duration, what is left; ms. */
  remainingMs: number;
};

type Next =
  /** The far end waits for an answer, or for the rest of one of which only the model knows how it goes on. */
  | { kind: 'reply'; options: { instructions?: string } }
  | { kind: 'say'; words: string }
  /** The agent was saying goodbye. */
  | { kind: 'end'; words: string }
  | { kind: 'greet' }
  | { kind: 'listen' };

const LISTEN: Next = { kind: 'listen' };

/** Less would end a call in the middle of the first words. */
const LEAST_MS = 1000;

/**
 * What to do first with a call whose agent was lost, and was answered before.
 *
 * @param options.planned its worker was stopped: nobody waited longer than for any answer, so the words of excuse
 *   are only said where something was broken off
 */
export function resumptionOf(
  memory: Pick<Recalled, 'facts' | 'items' | 'saying' | 'hearing' | 'answeredAt' | 'now'>,
  { words, planned }: { words: SpokenWords; planned: boolean },
): Resumption {
  // An agent that was lost while it made its excuse had yet to go on with what was before.
  const saying = memory.saying?.text === words.resumed ? null : memory.saying;
  const items = memory.items.filter((item) => textOf(item) !== words.resumed);
  const next = nextOf({ items, saying, hearing: memory.hearing });
  const { answeredAt, now, facts } = memory;
  // Who has heard nothing yet misses nothing; who has heard the goodbye is kept no longer.
  const over = next.kind === 'greet' || (next.kind === 'end' && next.words === '');
  const silent = over || (planned && saying === null);
  const elapsedMs = now - (answeredAt ?? now);
  return {
    words: silent ? undefined : words.resumed,
    next,
    remainingMs: Math.max(LEAST_MS, facts.maxDurationMs - elapsedMs),
  };
}

function nextOf({ items, saying, hearing }: Pick<Recalled, 'items' | 'saying' | 'hearing'>): Next {
  const last = items.findLast((item) => item.kind !== 'event' || item.event.type === 'turn');
  if (hearing.trim() !== '') return { kind: 'reply', options: {} };
  const leaving = last?.kind === 'tool' && last.name === END_CALL;
  if (saying) {
    const rest = restOf(saying.text, saying.heard);
    if (leaving) return { kind: 'end', words: rest };
    // With a tool under way, the model has more to say when it is told of the outcome.
    if (saying.whole && last?.kind !== 'tool') {
      return rest === '' ? LISTEN : { kind: 'say', words: rest };
    }
    return { kind: 'reply', options: { instructions: goOnAfter(saying.heard) } };
  }
  if (leaving) return { kind: 'end', words: '' };
  if (!last) return { kind: 'greet' };
  if (last.kind !== 'event') return { kind: 'reply', options: {} };
  if (last.event.type !== 'turn' || last.event.data.role === 'caller') {
    return { kind: 'reply', options: {} };
  }
  const { text, interrupted } = last.event.data;
  return interrupted ? { kind: 'reply', options: { instructions: goOnAfter(text) } } : LISTEN;
}

function textOf(item: MemoryItem): string | undefined {
  return item.kind === 'event' && item.event.type === 'turn' ? item.event.data.text : undefined;
}

/**
 * What is still to be said of some words, from the beginning of the sentence in which they were broken off: half
 * a sentence after a pause is not understood.
 */
export function restOf(text: string, heard: string): string {
  const done = heard.trimEnd();
  if (!text.trimStart().startsWith(done.trimStart())) return text.trim();
  const offset = text.length - text.trimStart().length;
  const from = offset + done.trimStart().length;
  if (text.slice(from).trim() === '') return '';
  const ends = [...text.slice(0, from).matchAll(/[.!?…。！？](?=["”»’)]*(\s|$))["”»’)]*/gu)];
  const last = ends.at(-1);
  return text.slice(last ? last.index + last[0].length : 0).trim();
}

function goOnAfter(heard: string): string {
  const what =
    heard.trim() === ''
      ? 'The other side has heard nothing of your answer yet: give it now.'
      : 'You were cut off in the middle of your last message, which stands as far as it was heard: go on with it, and do not repeat more of it than is needed to be understood.';
  return `There was a short technical interruption, for which you have apologised already. ${what} Do not repeat anything that your tools have done.`;
}
