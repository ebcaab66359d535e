import type { Heard } from './hearing.ts';
import type { KnownLines } from './known-lines.ts';
import { SAMPLE_RATE } from './leg.ts';
import { Recogniser } from './recogniser.ts';

/** A word of a transcript; ms of stream time. */
export type TimedWord = { word: string; startedAt: number; endedAt: number };

/** What was heard in a whole sound (16 kHz). */
export function transcribe(lines: KnownLines, sound: Int16Array): { text: string; heard: Heard[] } {
  const recogniser = new Recogniser(lines);
  const heard: Heard[] = [];
  recogniser.onHeard((one) => heard.push(one));
  recogniser.feed(sound);
  recogniser.feed(new Int16Array(2 * SAMPLE_RATE));
  recogniser.close();
  return {
    text: heard
      .map(wordsHeard)
      .flat()
      .map(({ word }) => word)
      .join(' '),
    heard,
  };
}

/** The words of a line that were heard, each with its time: a letter takes about the same time as another. */
export function wordsHeard(heard: Heard): TimedWord[] {
  if (heard.text === null) return [];
  const { complete, heardFrom, heardTo, startedAt, endedAt } = heard;
  const span = Math.max(1e-6, heardTo - heardFrom);
  const from = complete ? 0 : heardFrom;
  const to = complete ? 1 : heardTo;
  return wordShares(heard.text)
    .filter((word) => (word.from + word.to) / 2 >= from && word.to <= to + WORD_SLACK)
    .map(({ word, ...share }) => ({
      word,
      startedAt: within(
        startedAt + ((share.from - heardFrom) / span) * (endedAt - startedAt),
        heard,
      ),
      endedAt: within(startedAt + ((share.to - heardFrom) / span) * (endedAt - startedAt), heard),
    }));
}

/** The words of a line up to a share of it. */
export function wordsUpTo(text: string, share: number): string {
  return wordShares(text)
    .filter(({ to }) => to <= share)
    .map(({ word }) => word)
    .join(' ');
}

/** A word that lacks only its end is understood. */
const WORD_SLACK = 0.04;

/** The words of a line, and the share of the line at which each begins and ends. */
function wordShares(text: string): { word: string; from: number; to: number }[] {
  const words = text.match(/\S+/g) ?? [];
  const letters = words.reduce((sum, word) => sum + word.length, 0);
  let said = 0;
  return words.map((word) => {
    const from = said / letters;
    said += word.length;
    return { word, from, to: said / letters };
  });
}

function within(at: number, { startedAt, endedAt }: Heard): number {
  return Math.max(startedAt, Math.min(endedAt, at));
}
