import { SAMPLE_RATE } from './leg.ts';
import { BANDS, MelAnalysis } from './mel.ts';

/** Known lines are analysed twice as finely as what is heard, so that a stream is never far off the grid. */
export const LINE_HOP_MS = 10;
const HOP_SAMPLES = (SAMPLE_RATE * LINE_HOP_MS) / 1000;
/** Frames this far below the loudest are pauses; from there on they count more and more. */
const PAUSE_BELOW_DB = 30;
const FULL_WEIGHT_BELOW_DB = 12;
const MOST_LINES = 250;

/** A line that somebody speaks, as the ears compare it: from its first sound to its last, 10 ms a frame. */
export type KnownLine = {
  readonly text: string;
  readonly frames: number;
  /** Log-mel shapes, frame after frame. */
  readonly shapes: Float32Array;
  /** How much a frame counts, 0 (a pause) to 1. */
  readonly weights: Float32Array;
  /** Sum of the weights of all frames before a frame. */
  readonly weightBefore: Float32Array;
};

/** The lines that one side of a call may speak: what a recogniser knows. */
export class KnownLines {
  readonly #lines = new Map<string, KnownLine>();
  readonly #mel = new MelAnalysis();
  readonly #most: number;
  #version = 0;

  /** @param most lines that are kept; the one that was added or used longest ago goes first */
  constructor(most: number = MOST_LINES) {
    this.#most = most;
  }

  /** Counts changes, so that a recogniser sees new lines at once. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#lines.size;
  }

  lines(): Iterable<KnownLine> {
    return this.#lines.values();
  }

  /** A line is in use, and so will not be the next to be forgotten. */
  use(text: string): void {
    for (const [key, line] of this.#lines) {
      if (line.text !== text) continue;
      this.#lines.delete(key);
      this.#lines.set(key, line);
      return;
    }
  }

  /**
   * Makes a line known by its sound (16 kHz). A text may be known in several voices. Silent sound is no line.
   */
  add(text: string, sound: Int16Array): void {
    const key = `${text}\n${sound.length}\n${checksum(sound)}`;
    const known = this.#lines.get(key);
    if (known) {
      this.#lines.delete(key);
      this.#lines.set(key, known);
      return;
    }
    const line = analyseLine(text, sound, this.#mel);
    if (!line) return;
    this.#lines.set(key, line);
    for (const oldest of this.#lines.keys()) {
      if (this.#lines.size <= this.#most) break;
      this.#lines.delete(oldest);
    }
    this.#version += 1;
  }
}

function analyseLine(text: string, sound: Int16Array, mel: MelAnalysis): KnownLine | undefined {
  const frames = Math.ceil(sound.length / HOP_SAMPLES) + 1;
  const shapes = new Float32Array(frames * BANDS);
  const levels = Array.from({ length: frames }, (_, frame) => {
    const shape = shapes.subarray(frame * BANDS, (frame + 1) * BANDS);
    return mel.analyse(sound, (frame + 1) * HOP_SAMPLES, shape).level;
  });
  const loudest = levels.reduce((most, level) => Math.max(most, level), -100);
  if (loudest < -60) return undefined;
  const weights = Float32Array.from(levels, (level) => weigh(level - loudest));
  const first = weights.findIndex((weight) => weight > 0);
  const last = weights.findLastIndex((weight) => weight > 0);
  const trimmed = weights.slice(first, last + 1);
  const weightBefore = new Float32Array(trimmed.length + 1);
  for (const [frame, weight] of trimmed.entries()) {
    weightBefore[frame + 1] = weightBefore[frame]! + weight;
  }
  return {
    text,
    frames: trimmed.length,
    shapes: shapes.slice(first * BANDS, (last + 1) * BANDS),
    weights: trimmed,
    weightBefore,
  };
}

function weigh(decibels: number): number {
  const weight = (decibels + PAUSE_BELOW_DB) / (PAUSE_BELOW_DB - FULL_WEIGHT_BELOW_DB);
  return Math.max(0, Math.min(1, weight));
}

function checksum(sound: Int16Array): number {
  let sum = 0;
  for (const sample of sound) sum = (Math.imul(sum, 31) + sample) | 0;
  return sum;
}
