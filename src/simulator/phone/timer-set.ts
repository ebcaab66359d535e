/** Timers of one owner: counted, and all stopped at once when it closes. */
export class TimerSet {
  readonly #running = new Set<NodeJS.Timeout>();
  #closed = false;

  get size(): number {
    return this.#running.size;
  }

  /** Runs `action` after a while; returns the function that stops it. Does nothing once closed. */
  after(delayMs: number, action: () => void): () => void {
    if (this.#closed) return () => {};
    const timer = setTimeout(() => {
      this.#running.delete(timer);
      action();
    }, delayMs);
    this.#running.add(timer);
    return () => {
      clearTimeout(timer);
      this.#running.delete(timer);
    };
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#running) clearTimeout(timer);
    this.#running.clear();
  }
}
