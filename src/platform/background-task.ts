/** Work that is done in the background: at the start, every so often, and whenever something asks for it. */
export class BackgroundTask {
  readonly #run: () => Promise<void>;
  readonly #everyMs: number;
  readonly #onError: (thrown: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(options: {
    /** Never runs twice at a time. What it throws goes to `onError`; the next run makes up for it. */
    run: () => Promise<void>;
    everyMs: number;
    onError: (thrown: unknown) => void;
  }) {
    this.#run = options.run;
    this.#everyMs = options.everyMs;
    this.#onError = options.onError;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.nudge(), this.#everyMs);
    this.nudge();
  }

  /** Runs now, or once more where it runs already: what is running may have passed by what is new. */
  nudge(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = this.#run()
      .catch(this.#onError)
      .finally(() => {
        this.#running = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.nudge();
      });
  }

  /** Waits for what is running. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }
}
