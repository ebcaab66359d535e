/** Passes values on, the first at once and then the latest of each interval. */
export class LatestOnly<T> {
  readonly #everyMs: number;
  readonly #pass: (value: T) => void;
  #waiting: { value: T } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(everyMs: number, pass: (value: T) => void) {
    this.#everyMs = everyMs;
    this.#pass = pass;
  }

  offer(value: T): void {
    if (this.#timer) {
      this.#waiting = { value };
      return;
    }
    this.#timer = setTimeout(() => this.#next(), this.#everyMs);
    this.#timer.unref();
    this.#pass(value);
  }

  /** What waits is never passed on. */
  drop(): void {
    this.#waiting = undefined;
  }

  #next(): void {
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) this.offer(waiting.value);
  }
}
