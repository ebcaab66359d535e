/** How fast the vendors' stand-ins are; what is absent is as fast as it comes. */
export type VendorPace = {
  /** From the caller's last sound, where it reaches the ears, to the transcript; at least some 100 ms. */
  transcriptMs?: number | undefined;
  /** From the question to the first words of the answer. */
  firstTokenMs?: number | undefined;
  /** Between the pieces of an answer, of three words each. */
  nextWordsMs?: number | undefined;
};

/** A fast model: 100 tokens a second. */
const USUAL: VendorPace = { firstTokenMs: 50, nextWordsMs: 30 };

/** The pace of the stand-ins now: the usual one, or what a conversation asks for while it runs. */
export class Pace {
  #asked: VendorPace[] = [];

  /** Returns what takes it back. */
  ask(pace: VendorPace): () => void {
    this.#asked.push(pace);
    return () => {
      this.#asked = this.#asked.filter((other) => other !== pace);
    };
  }

  get now(): VendorPace {
    const pace = { ...USUAL };
    for (const asked of this.#asked) {
      pace.transcriptMs = asked.transcriptMs ?? pace.transcriptMs;
      pace.firstTokenMs = asked.firstTokenMs ?? pace.firstTokenMs;
      pace.nextWordsMs = asked.nextWordsMs ?? pace.nextWordsMs;
    }
    return pace;
  }
}
