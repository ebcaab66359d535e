/** Samples of a 20 ms frame at 8 kHz. */
export const NARROW_FRAME = 160;

/** One second. */
const CAPACITY = 8000;
/** Frames to wait after the first packet, so that the next may be late: 40 ms. */
const WAIT_FRAMES = 2;
/** Sound that was never needed for so long is delay to win back: half a second. */
const WATCH_FRAMES = 25;
/** What may lie there beyond the frame that is being played: 40 ms. */
const COMFORTABLE = 2 * NARROW_FRAME;
/** Above this depth any frame is left out. */
const EXCESSIVE = 25 * NARROW_FRAME;
const SILENT_PEAK = 64;

export type JitterStats = {
  /** Frames played. */
  played: number;
  /** Frames with a hole in them: a packet was lost, or came after its time. */
  gaps: number;
  /** Packets that came after their time. */
  late: number;
  /** Frames left out to shorten the delay. */
  skipped: number;
  /** Times the buffer ran dry. */
  underruns: number;
};

/**
 * Puts what arrives in order of its RTP timestamps and hands it out in frames of 20 ms. Where nothing is
 * there it waits and the delay grows, so that a stall delays sound rather than cutting it; silence is
 * left out later to win the delay back.
 */
export class JitterBuffer {
  readonly #samples = new Int16Array(CAPACITY);
  readonly #present = new Uint8Array(CAPACITY);
  /** Where the next frame starts: in the ring, and as a timestamp. */
  #head = 0;
  #timestamp = 0;
  /** Samples from there to the newest. */
  #depth = 0;
  #wait = 0;
  /** The least depth since the watch began: delay that nothing has needed. */
  #spare = Number.POSITIVE_INFINITY;
  #watched = 0;
  readonly stats: JitterStats = { played: 0, gaps: 0, late: 0, skipped: 0, underruns: 0 };

  push(timestamp: number, samples: Int16Array): void {
    if (this.#depth === 0) this.#restart(timestamp);
    let offset = (timestamp - this.#timestamp) | 0;
    if (offset < 0 && offset > -CAPACITY) {
      this.stats.late++;
      return;
    }
    if (offset < 0 || offset + samples.length > CAPACITY) {
      this.reset();
      this.#restart(timestamp);
      offset = 0;
    }
    for (const [index, sample] of samples.subarray(0, CAPACITY).entries()) {
      const at = (this.#head + offset + index) % CAPACITY;
      this.#samples[at] = sample;
      this.#present[at] = 1;
    }
    this.#depth = Math.max(this.#depth, offset + Math.min(samples.length, CAPACITY));
  }

  /** The next frame; undefined where there is none yet. */
  pop(): Int16Array | undefined {
    if (this.#depth === 0) return undefined;
    if (this.#wait > 0) {
      this.#wait--;
      return undefined;
    }
    let frame = this.#take();
    if (this.#depth > EXCESSIVE || (this.#tooSlow() && frame.every(isSilent))) {
      this.stats.skipped++;
      this.#spare -= NARROW_FRAME;
      frame = this.#take();
    }
    this.stats.played++;
    if (this.#depth === 0) this.stats.underruns++;
    return frame;
  }

  /** Forgets what is there: the sender has changed, or made a jump. */
  reset(): void {
    this.#present.fill(0);
    this.#depth = 0;
  }

  #restart(timestamp: number): void {
    this.#timestamp = timestamp;
    this.#wait = WAIT_FRAMES;
    this.#watch();
  }

  #watch(): void {
    this.#watched = 0;
    this.#spare = Number.POSITIVE_INFINITY;
  }

  /** Whether more lay here throughout the watch than any lateness has needed. */
  #tooSlow(): boolean {
    this.#spare = Math.min(this.#spare, this.#depth);
    this.#watched++;
    if (this.#watched < WATCH_FRAMES) return false;
    if (this.#spare > COMFORTABLE) return true;
    this.#watch();
    return false;
  }

  #take(): Int16Array {
    const frame = new Int16Array(NARROW_FRAME);
    let whole = true;
    for (let index = 0; index < NARROW_FRAME; index++) {
      const at = (this.#head + index) % CAPACITY;
      if (this.#present[at] === 1) frame[index] = this.#samples[at] ?? 0;
      else whole = false;
      this.#present[at] = 0;
    }
    if (!whole) this.stats.gaps++;
    this.#head = (this.#head + NARROW_FRAME) % CAPACITY;
    this.#timestamp = (this.#timestamp + NARROW_FRAME) >>> 0;
    this.#depth = Math.max(0, this.#depth - NARROW_FRAME);
    return frame;
  }
}

function isSilent(sample: number): boolean {
  return Math.abs(sample) < SILENT_PEAK;
}
