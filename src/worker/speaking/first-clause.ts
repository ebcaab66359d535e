import { shortuuid, tokenize } from '@livekit/agents';

/** A first sentence may be as short as this: “Gladly.” */
const SHORTEST_SENTENCE = 6;
/** … a clause not: what follows it must be there before it has been spoken. */
const SHORTEST_CLAUSE = 40;

/** After these a full stop ends no sentence. */
const ABBREVIATION =
  /(?:^|\s)(?:\p{L}|\d+|dr|mr|mrs|ms|prof|st|no|nr|ca|bzw|ggf|inkl|str|tel)\.$/iu;

/**
 * Gives a voice that takes whole texts its first words as soon as they can be spoken: a sentence, or a clause of
 * some length. The rest goes by sentences, as the framework cuts them; it would also hold the first sentence back
 * until the second has begun, and add short ones to the next.
 */
export class FirstClauseTokenizer extends tokenize.SentenceTokenizer {
  readonly #sentences = new tokenize.basic.SentenceTokenizer();

  tokenize(text: string, language?: string): string[] {
    const first = firstClause(text);
    const rest = first === undefined ? text : text.slice(first.length);
    const sentences = this.#sentences.tokenize(rest, language);
    return first === undefined ? sentences : [first.trim(), ...sentences];
  }

  stream(): tokenize.SentenceStream {
    return new FirstClauseStream(this.#sentences.stream());
  }
}

/** The beginning of a text that can be spoken by itself, with the space before it; undefined: not yet. */
export function firstClause(text: string): string | undefined {
  for (const { index, 0: mark } of text.matchAll(/[.!?…:;,–]["”']?(?=\s)/gu)) {
    const clause = text.slice(0, index + mark.length);
    const { length } = clause.trim();
    const isSentence = /^[.!?…]/u.test(mark) && !ABBREVIATION.test(clause);
    if (length >= (isSentence ? SHORTEST_SENTENCE : SHORTEST_CLAUSE)) {
      if (isSentence || !ABBREVIATION.test(clause)) return clause;
    }
  }
  return undefined;
}

class FirstClauseStream extends tokenize.SentenceStream {
  readonly #sentences: tokenize.SentenceStream;
  /** Resolves when the first clause is there, or none will be. */
  readonly #begun = Promise.withResolvers<void>();
  /** What came before that; undefined afterwards. */
  #beginning: string | undefined = '';
  #first: tokenize.TokenData | undefined;

  constructor(sentences: tokenize.SentenceStream) {
    super();
    this.#sentences = sentences;
  }

  override pushText(text: string): void {
    if (this.#beginning === undefined) {
      this.#sentences.pushText(text);
      return;
    }
    this.#beginning += text;
    const clause = firstClause(this.#beginning);
    if (clause === undefined) return;
    this.#first = { segmentId: shortuuid(), token: clause.trim() };
    this.#begin(this.#beginning.slice(clause.length));
  }

  override flush(): void {
    if (this.#beginning !== undefined) this.#begin(this.#beginning);
    this.#sentences.flush();
  }

  override endInput(): void {
    if (this.#beginning !== undefined) this.#begin(this.#beginning);
    this.#sentences.endInput();
  }

  override async next(): Promise<IteratorResult<tokenize.TokenData>> {
    await this.#begun.promise;
    const first = this.#first;
    this.#first = undefined;
    return first ? { done: false, value: first } : this.#sentences.next();
  }

  override close(): void {
    this.#begun.resolve();
    if (!this.#sentences.closed) this.#sentences.close();
    super.close();
  }

  /** From here on the sentences are the framework's. */
  #begin(rest: string): void {
    this.#beginning = undefined;
    if (rest !== '') this.#sentences.pushText(rest);
    this.#begun.resolve();
  }
}
