import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const WINDOW_MS = 5000;

/**
 * How late the event loop was over the last 5 to 10 s, in ms. A single long stop among some 500 looks does not
 * raise the 99th percentile; a loop that is late again and again does.
 */
export class LoopLag {
  #older = measure();
  #newer = this.#older;
  readonly #timer: NodeJS.Timeout;

  constructor(windowMs: number = WINDOW_MS) {
    this.#timer = setInterval(() => {
      if (this.#older !== this.#newer) this.#older.disable();
      this.#older = this.#newer;
      this.#newer = measure();
    }, windowMs).unref();
  }

  get p50(): number {
    return this.#late(50);
  }

  get p99(): number {
    return this.#late(99);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#older.disable();
    this.#newer.disable();
  }

  /** What is measured is the time between two looks, which is the resolution where nothing is late. */
  #late(percentile: number): number {
    if (this.#older.count === 0) return 0;
    return Math.max(0, this.#older.percentile(percentile) / 1e6 - RESOLUTION_MS);
  }
}

function measure() {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return histogram;
}
