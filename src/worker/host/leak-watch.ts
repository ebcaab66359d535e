import type { OpenResources } from './open-resources.ts';

export type LeakTimes = { lookMs: number; looks: number };

/** A call is over within 3 s of its end, and so is what it had open. */
export const LEAK_TIMES: LeakTimes = { lookMs: 10_000, looks: 3 };

/** A call has less open than this of each kind; some 5 are usual. */
const PER_CALL = 30;
/** What a process opens once, by and by: connections for commands, timers of its libraries. */
const ONCE = 20;

/**
 * Looks whether calls leave something behind. A host that holds more open than its calls can need, several
 * times in a row, has leaked and should be replaced; one thing left by each call is so found after
 * some tens of calls, long before it does harm.
 */
export class LeakWatch {
  readonly #count: () => OpenResources;
  readonly #calls: () => number;
  readonly #onLeak: (kind: string) => void;
  readonly #times: LeakTimes;
  readonly #atFirst: OpenResources;
  readonly #timer: NodeJS.Timeout;
  /** Looks in a row at which there was too much. */
  #over = 0;

  /** To be made before the first call. */
  constructor(options: {
    count: () => OpenResources;
    calls: () => number;
    /** Told once. */
    onLeak: (kind: string) => void;
    times?: LeakTimes;
  }) {
    this.#count = options.count;
    this.#calls = options.calls;
    this.#onLeak = options.onLeak;
    this.#times = options.times ?? LEAK_TIMES;
    this.#atFirst = options.count();
    this.#timer = setInterval(() => this.#look(), this.#times.lookMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#count();
    const room = ONCE + PER_CALL * this.#calls();
    const kinds = Object.keys(now) as (keyof OpenResources)[];
    const leaking = kinds.find((kind) => now[kind] > this.#atFirst[kind] + room);
    this.#over = leaking ? this.#over + 1 : 0;
    if (!leaking || this.#over < this.#times.looks) return;
    this.close();
    this.#onLeak(leaking);
  }
}
