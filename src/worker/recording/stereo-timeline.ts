import { RECORDING_RATE } from '../../call/recording/mu-law-wav.ts';
import { PCMU } from '../../platform/g711.ts';

export type Side = 'caller' | 'agent';

const SAMPLES_PER_MS = RECORDING_RATE / 1000;

/** How far from the first moment that has not been taken sound may be placed: 4 s. */
const SPAN = 4 * RECORDING_RATE;

const MUTE = 0xff;

/**
 * The last seconds of a call, both sides in step on one clock. Sound may come in pieces, late, or be taken
 * back, until its time is taken for good; what nothing was placed over is silence.
 */
export class StereoTimeline {
  readonly #sides: Record<Side, Int16Array> = {
    caller: new Int16Array(SPAN),
    agent: new Int16Array(SPAN),
  };
  readonly #beginsAt: number;
  /** Samples of each side that have been taken. */
  #taken = 0;

  /** @param beginsAt ms of the clock that all times here are of */
  constructor(beginsAt: number) {
    this.#beginsAt = beginsAt;
  }

  /** Adds sound to what there is. What lies before the taken, or too far after it, is left out. */
  add(side: Side, at: number, sound: Int16Array): void {
    const ring = this.#sides[side];
    const start = this.#position(at);
    const from = Math.max(0, this.#taken - start);
    const to = Math.min(sound.length, this.#taken + SPAN - start);
    for (let index = from; index < to; index += 1) {
      const place = (start + index) % SPAN;
      const sum = ring[place]! + sound[index]!;
      ring[place] = Math.max(-32_768, Math.min(32_767, sum));
    }
  }

  /** Takes back what was placed from a time on. */
  cut(side: Side, from: number): void {
    const ring = this.#sides[side];
    const start = Math.max(this.#position(from), this.#taken);
    for (let place = start; place < this.#taken + SPAN; place += 1) ring[place % SPAN] = 0;
  }

  /** G.711 µ-law of both sides in turn, from where the last taking ended. */
  take(until: number): Buffer {
    const count = Math.max(0, this.#position(until) - this.#taken);
    const bytes = Buffer.alloc(2 * count, MUTE);
    for (const [channel, side] of (['caller', 'agent'] as const).entries()) {
      const encoded = PCMU.encode(this.#takeSide(side, Math.min(count, SPAN)));
      for (let index = 0; index < encoded.length; index += 1)
        bytes[2 * index + channel] = encoded[index]!;
    }
    this.#taken += count;
    return bytes;
  }

  #takeSide(side: Side, count: number): Int16Array {
    const ring = this.#sides[side];
    const sound = new Int16Array(count);
    for (let index = 0; index < count; index += 1) {
      const place = (this.#taken + index) % SPAN;
      sound[index] = ring[place]!;
      ring[place] = 0;
    }
    return sound;
  }

  #position(at: number): number {
    return Math.round((at - this.#beginsAt) * SAMPLES_PER_MS);
  }
}
