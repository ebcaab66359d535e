const SECOND_MS = 1000;

/**
 * Decides which lines of a busy place are written down: all while there are few, one in so many above that. Who
 * reads the log learns from `takeLeftOut` how many are missing.
 */
export class LogSampler {
  readonly #perSecond: number;
  readonly #oneIn: number;
  #second = 0;
  #seen = 0;
  #leftOut = 0;

  /**
   * @param options.perSecond lines of one second that are all written
   * @param options.oneIn of those beyond, the first and every so-manieth is written
   */
  constructor(options: { perSecond: number; oneIn: number }) {
    this.#perSecond = options.perSecond;
    this.#oneIn = options.oneIn;
  }

  /** @param now ms; any clock that does not stand still */
  takes(now: number): boolean {
    const second = Math.floor(now / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#seen = 0;
    }
    this.#seen += 1;
    const beyond = this.#seen - this.#perSecond;
    if (beyond <= 0 || (beyond - 1) % this.#oneIn === 0) return true;
    this.#leftOut += 1;
    return false;
  }

  /** How many were not written since it was last asked. */
  takeLeftOut(): number {
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }
}
