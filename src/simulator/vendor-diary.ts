/** What the vendors' stand-ins do in a turn; each at one moment. */
export type VendorMoment =
  /** The last sound of a line, as the caller's, reached the ears. */
  | 'stt_last_sound'
  /** The first sound of a line reached the ears. */
  | 'stt_first_sound'
  /** The final transcript left. */
  | 'stt_transcript'
  /** The first words of an answer left. */
  | 'llm_first_token'
  /** The first sound of a sentence left. */
  | 'tts_first_sound';

type Entry = {
  moment: VendorMoment;
  /** ms since the epoch */
  at: number;
  /** Words that it belongs to; empty where they are not known. */
  text: string;
};

/** Enough for many calls at once; the oldest are forgotten. */
const MOST_ENTRIES = 2000;

/**
 * When the stand-ins did what: a turn's way through the vendors, by the clock of the machine, which the phone
 * and the worker share.
 */
export class VendorDiary {
  readonly #entries: Entry[] = [];

  note(moment: VendorMoment, text: string, at = Date.now()): void {
    this.#entries.push({ moment, at, text });
    if (this.#entries.length > MOST_ENTRIES) this.#entries.shift();
  }

  /**
   * The last time that something happened within a span to words that agree with `text`: one is part of the other.
   *
   * @param text undefined: whatever the words
   */
  last(
    moment: VendorMoment,
    { from, to }: { from: number; to: number },
    text?: string,
  ): number | undefined {
    return this.#entries.findLast(
      (entry) =>
        entry.moment === moment &&
        entry.at >= from &&
        entry.at <= to &&
        (text === undefined || agree(entry.text, text)),
    )?.at;
  }
}

function agree(one: string, other: string): boolean {
  const [a, b] = [bare(one), bare(other)];
  return a.includes(b) || b.includes(a);
}

function bare(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
