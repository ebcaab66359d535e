import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const WINDOW_MS = 1000;
const WINDOWS = 5;

/** How late the event loop was over the last 5 s, in ms. */
export class LoopLag {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #windows: { p50: number; p99: number }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#turn(), WINDOW_MS).unref();
  }

  get p50(): number {
    const sorted = this.#windows.map(({ p50 }) => p50).toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  }

  get p99(): number {
    return Math.max(0, ...this.#windows.map(({ p99 }) => p99));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  #turn(): void {
    this.#windows.push({ p50: this.#late(50), p99: this.#late(99) });
    if (this.#windows.length > WINDOWS) this.#windows.shift();
    this.#histogram.reset();
  }

  /** What is measured is the time between two looks, which is the resolution where nothing is late. */
  #late(percentile: number): number {
    const ms = this.#histogram.percentile(percentile) / 1e6;
    return Number.isFinite(ms) ? Math.max(0, ms - RESOLUTION_MS) : 0;
  }
}
