export type SilenceLimits = {
  /** Silence of both sides after which the agent asks whether anybody is there, in ms. */
  askAfterMs: number;
  /** Further silence after the question after which the call is ended, in ms. */
  hangUpAfterMs: number;
};

/**
 * Watches for a caller who says nothing.
 *
 *     quiet ──askAfter──▶ ask ──(agent speaks, is quiet again)──hangUpAfter──▶ hang up
 *       ▲                                                     │
 *       └────────────────── the caller is understood ─────────┘
 *
 * A noise that is no speech pauses the clock but does not set it back, so a line that only hums is ended.
 */
export class SilenceWatch {
  readonly #limits: SilenceLimits;
  readonly #ask: () => void;
  readonly #hangUp: () => void;
  #asked = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(limits: SilenceLimits, actions: { ask: () => void; hangUp: () => void }) {
    this.#limits = limits;
    this.#ask = actions.ask;
    this.#hangUp = actions.hangUp;
  }

  /** Tells whether both sides are silent now. */
  update(quiet: boolean): void {
    clearTimeout(this.#timer);
    if (!quiet || this.#closed) return;
    this.#timer = this.#asked
      ? setTimeout(this.#hangUp, this.#limits.hangUpAfterMs)
      : setTimeout(() => {
          this.#asked = true;
          this.#ask();
        }, this.#limits.askAfterMs);
  }

  /** The caller said something. */
  heard(): void {
    this.#asked = false;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
