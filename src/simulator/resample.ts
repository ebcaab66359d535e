/** Zero crossings of the sinc on each side: 16 give a transition band of about 8 % and more than 70 dB of rejection. */
const ZERO_CROSSINGS = 16;
const KAISER_BETA = 8;
/** The pass band ends a little below the Nyquist frequency of the lower rate, to leave room for the transition. */
const PASS_BAND = 0.92;

/**
 * Changes the sample rate of a stream of signed 16 bit mono sound: a polyphase filter of Kaiser-windowed
 * sincs. Keeps its history between chunks, so the seams cannot be heard; the sound comes out
 * `delaySamples` (of the output rate) later.
 */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  readonly #phases: Float32Array[];
  #input: Float32Array;
  /** Position of the next output, in steps of 1/up input samples from the end of the history. */
  #position = 0;

  constructor(from: number, to: number) {
    const divisor = greatestCommonDivisor(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    const cutoff = (PASS_BAND * Math.min(from, to)) / from;
    const half = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.#taps = 2 * half;
    this.#phases = Array.from({ length: this.#up }, (_, phase) =>
      filterPhase(phase / this.#up, half, cutoff),
    );
    this.#input = new Float32Array(this.#taps);
  }

  get delaySamples(): number {
    return Math.round((this.#taps / 2) * (this.#up / this.#down));
  }

  /** A chunk whose length is a multiple of from/gcd(from, to) gives exactly its share of output. */
  process(chunk: Int16Array): Int16Array {
    const input = new Float32Array(this.#taps + chunk.length);
    input.set(this.#input);
    input.set(chunk, this.#taps);
    const end = chunk.length * this.#up;
    const count = Math.max(0, Math.ceil((end - this.#position) / this.#down));
    const output = new Int16Array(count);
    for (let index = 0; index < count; index += 1) {
      const base = Math.floor(this.#position / this.#up);
      const filter = this.#phases[this.#position % this.#up]!;
      let sum = 0;
      for (let tap = 0; tap < this.#taps; tap += 1) sum += input[base + tap + 1]! * filter[tap]!;
      output[index] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
      this.#position += this.#down;
    }
    this.#position -= end;
    this.#input = input.slice(input.length - this.#taps);
    return output;
  }
}

/** A whole sound at another sample rate, without delay. */
export function resample(sound: Int16Array, from: number, to: number): Int16Array {
  if (from === to) return sound;
  const resampler = new Resampler(from, to);
  const delay = resampler.delaySamples;
  const padding = Math.ceil((delay * from) / to) + 1;
  const padded = new Int16Array(sound.length + padding);
  padded.set(sound);
  const length = Math.ceil((sound.length * to) / from);
  return resampler.process(padded).slice(delay, delay + length);
}

/** The filter for an output that lies `fraction` of an input sample after the middle; sums to one. */
function filterPhase(fraction: number, half: number, cutoff: number): Float32Array {
  const filter = new Float32Array(2 * half);
  let sum = 0;
  for (let tap = 0; tap < filter.length; tap += 1) {
    const distance = tap - half + 1 - fraction;
    const window = Math.abs(distance) >= half ? 0 : kaiser(distance / half);
    filter[tap] = sinc(distance * cutoff) * window;
    sum += filter[tap]!;
  }
  return filter.map((value) => value / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return bessel(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel(KAISER_BETA);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-10; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
