import type { KnownLine } from './known-lines.ts';
import { BANDS } from './mel.ts';

/** A heard frame is 20 ms. */
export const HEARD_FRAME_MS = 20;
/** What it costs to advance by 0, 1, … line frames in one heard frame: jitter buffers stretch and drop a little. */
const MOVE_COST = [0.5, 0.15, 0, 0.15, 0.5, 0.8, 1.1] as const;
/** In pauses nothing is lost by stretching. */
const PAUSE_MOVE_COST = [0.05, 0.02, 0, 0.02, 0.05, 0.2, 0.4] as const;
/** A frame that correlates less than this speaks against the line. */
const EVEN_CORRELATION = 0.6;
const ONE_SIDED_COST = 0.3;
/** A hypothesis that has lost this much since its best is given up: about 350 ms of something else. */
const GIVE_UP = 4;
/** After some 250 ms of sound a path that agrees so little on average never becomes a line. */
const JUDGED_WEIGHT = 8;
const LEAST_AGREEMENT = 0.1;
/** A line begins within its first frames, or, at the beginning of a sound, anywhere at a cost. */
const ENTRY_FRAMES = 12;
const LATE_ENTRY_COST = 1.5;

/** How far into a line a stretch of sound agrees with it. */
export type Match = {
  line: KnownLine;
  /** Evidence: grows with each frame that agrees. */
  score: number;
  /** Mean correlation over the stretch, at most 1. */
  confidence: number;
  /** First and last frame of the line that was heard. */
  from: number;
  to: number;
  /** The same in ms of stream time. */
  startedAt: number;
  endedAt: number;
};

/**
 * Compares one known line with a stream, frame by frame: local alignment in the manner of Smith and
 * Waterman, with steps held close to real time. Every state is a frame of the line; it remembers where
 * its path began and where its evidence peaked.
 */
export class Alignment {
  readonly line: KnownLine;
  readonly #score: Float32Array;
  readonly #weight: Float32Array;
  readonly #peak: Float32Array;
  readonly #peakWeight: Float32Array;
  readonly #peakFrame: Int32Array;
  readonly #peakAt: Float64Array;
  readonly #from: Int32Array;
  readonly #startedAt: Float64Array;
  /** States that may be alive. */
  #lowest = 0;
  #highest = -1;
  #best: Match | undefined;

  constructor(line: KnownLine) {
    this.line = line;
    this.#score = new Float32Array(line.frames);
    this.#weight = new Float32Array(line.frames);
    this.#peak = new Float32Array(line.frames);
    this.#peakWeight = new Float32Array(line.frames);
    this.#peakFrame = new Int32Array(line.frames);
    this.#peakAt = new Float64Array(line.frames);
    this.#from = new Int32Array(line.frames);
    this.#startedAt = new Float64Array(line.frames);
  }

  /** The strongest match since the last reset, its end included even when the path has ended since. */
  get best(): Match | undefined {
    return this.#best;
  }

  /** The strongest evidence of a path that began before `before` and is still followed. */
  liveScore(before: number): number {
    let strongest = 0;
    for (let frame = this.#lowest; frame <= this.#highest; frame += 1) {
      if (this.#score[frame]! > 0 && this.#startedAt[frame]! < before) {
        strongest = Math.max(strongest, this.#score[frame]!);
      }
    }
    return strongest;
  }

  /** Forgets all paths that began before `before` (ms of stream time). */
  reset(before: number = Infinity): void {
    for (let frame = this.#lowest; frame <= this.#highest; frame += 1) {
      if (this.#startedAt[frame]! < before) this.#score[frame] = 0;
    }
    this.#best = undefined;
    this.#shrink(this.#lowest, this.#highest);
  }

  /**
   * Takes the next 20 ms.
   *
   * @param shape its spectrum; undefined: nothing sounds
   * @param now its beginning, ms of stream time
   * @param entry where a path may begin
   */
  step(shape: Float32Array | undefined, now: number, entry: 'first' | 'anywhere' | 'none'): void {
    const entries = shape ? this.#entries(entry) : 0;
    const lowest = entries > 0 ? 0 : this.#lowest;
    const highest = Math.min(
      this.line.frames - 1,
      Math.max(
        this.#highest < this.#lowest ? -1 : this.#highest + MOVE_COST.length - 1,
        entries - 1,
      ),
    );
    // Downwards, so that a state still finds its predecessors as they were a frame ago.
    for (let frame = highest; frame >= lowest; frame -= 1)
      this.#stepState(frame, shape, now, entries);
    this.#shrink(lowest, highest);
  }

  #entries(entry: 'first' | 'anywhere' | 'none'): number {
    if (entry === 'none') return 0;
    return entry === 'anywhere' ? this.line.frames : Math.min(ENTRY_FRAMES, this.line.frames);
  }

  #stepState(frame: number, shape: Float32Array | undefined, now: number, entries: number): void {
    const scores = this.#score;
    const weight = this.line.weights[frame]!;
    const costs = weight === 0 && !shape ? PAUSE_MOVE_COST : MOVE_COST;
    const furthest = Math.min(costs.length - 1, frame);
    let previous = -1;
    let score = 0;
    for (let move = 0; move <= furthest; move += 1) {
      const candidate = scores[frame - move]! - costs[move]!;
      if (candidate > score) {
        score = candidate;
        previous = frame - move;
      }
    }
    if (previous < 0) {
      const gained = frame < entries ? this.#gain(frame, weight, shape) : 0;
      scores[frame] = Math.max(0, gained);
      if (gained > 0) this.#enter(frame, gained, weight, now);
      return;
    }
    const next = score + this.#gain(frame, weight, shape);
    this.#advance(previous, frame, next, shape ? weight : 0, now);
  }

  #enter(frame: number, gained: number, weight: number, now: number): void {
    this.#weight[frame] = weight;
    this.#peak[frame] = gained;
    this.#peakWeight[frame] = weight;
    this.#peakFrame[frame] = frame;
    this.#peakAt[frame] = now;
    this.#from[frame] = frame;
    this.#startedAt[frame] = now;
  }

  #advance(previous: number, frame: number, score: number, weight: number, now: number): void {
    const heard = this.#weight[previous]! + weight;
    const rises = score > this.#peak[previous]!;
    const hopeless = heard >= JUDGED_WEIGHT && score < LEAST_AGREEMENT * heard;
    const alive = score > 0 && score > this.#peak[previous]! - GIVE_UP && !hopeless;
    this.#score[frame] = alive ? score : 0;
    if (!alive) return;
    this.#weight[frame] = heard;
    this.#from[frame] = this.#from[previous]!;
    this.#startedAt[frame] = this.#startedAt[previous]!;
    this.#peak[frame] = rises ? score : this.#peak[previous]!;
    this.#peakWeight[frame] = rises ? heard : this.#peakWeight[previous]!;
    this.#peakFrame[frame] = rises ? frame : this.#peakFrame[previous]!;
    this.#peakAt[frame] = rises ? now : this.#peakAt[previous]!;
    if (rises && this.#evidence(frame) > (this.#best?.score ?? 0)) this.#best = this.#match(frame);
  }

  /** What a heard frame says for (above 0) or against a frame of the line. */
  #gain(frame: number, weight: number, shape: Float32Array | undefined): number {
    if (!shape) return weight === 0 ? 0 : -ONE_SIDED_COST * weight;
    if (weight === 0) return -ONE_SIDED_COST / 2;
    const { shapes } = this.line;
    const start = frame * BANDS;
    let correlation = 0;
    for (let band = 0; band < BANDS; band += 1) correlation += shape[band]! * shapes[start + band]!;
    return weight * (correlation - EVEN_CORRELATION);
  }

  #evidence(frame: number): number {
    return this.#peak[frame]! - (this.#from[frame]! < ENTRY_FRAMES ? 0 : LATE_ENTRY_COST);
  }

  #match(frame: number): Match {
    const agreement = this.#peak[frame]! / Math.max(1e-3, this.#peakWeight[frame]!);
    return {
      line: this.line,
      score: this.#evidence(frame),
      confidence: Math.min(1, EVEN_CORRELATION + agreement),
      from: this.#from[frame]!,
      to: this.#peakFrame[frame]!,
      startedAt: this.#startedAt[frame]!,
      endedAt: this.#peakAt[frame]! + HEARD_FRAME_MS,
    };
  }

  #shrink(lowest: number, highest: number): void {
    while (lowest <= highest && this.#score[lowest] === 0) lowest += 1;
    while (highest >= lowest && this.#score[highest] === 0) highest -= 1;
    this.#lowest = lowest;
    this.#highest = highest;
  }
}
