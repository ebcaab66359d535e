import { AudioFrame } from '@livekit/rtc-node';

/**
 * So much sound a frame. Frames are given to the room one by one, and an agent that is to fall silent finishes the
 * one it is giving: longer ones are heard for longer then, shorter ones cost more calls.
 */
const FRAME_MS = 40;
const SAMPLE_BYTES = 2;

/** Makes frames of raw sound (mono, signed 16 bit, little-endian) that comes in pieces of any size. */
export class PcmFrames {
  readonly #sampleRate: number;
  readonly #samples: Int16Array;
  readonly #bytes: Uint8Array;
  #filled = 0;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
    this.#samples = new Int16Array((sampleRate * FRAME_MS) / 1000);
    this.#bytes = new Uint8Array(this.#samples.buffer);
  }

  /** The frames that a piece completes. */
  take(piece: Uint8Array): AudioFrame[] {
    const frames: AudioFrame[] = [];
    for (let at = 0; at < piece.length;) {
      const taken = piece.subarray(at, at + this.#bytes.length - this.#filled);
      this.#bytes.set(taken, this.#filled);
      this.#filled += taken.length;
      at += taken.length;
      if (this.#filled === this.#bytes.length) frames.push(this.#frame());
    }
    return frames;
  }

  /** What is left in the end, less than a frame; a byte that is no sample is left out. */
  rest(): AudioFrame | undefined {
    return this.#filled < SAMPLE_BYTES ? undefined : this.#frame();
  }

  #frame(): AudioFrame {
    const samples = this.#samples.slice(0, Math.floor(this.#filled / SAMPLE_BYTES));
    this.#filled = 0;
    return new AudioFrame(samples, this.#sampleRate, 1, samples.length);
  }
}
