/** Zero crossings of the sinc on each side: 16 give a transition band of about 8 % and more than 70 dB of rejection. */
const ZERO_CROSSINGS = 16;
const KAISER_BETA = 8;
/** The pass band ends a little below the Nyquist frequency of the lower rate, to leave room for the transition. */
const PASS_BAND = 0.92;

/**
 * Changes the sample rate of a stream of signed 16 bit mono sound: a polyphase filter of Kaiser-windowed
 * sincs. Keeps its history between chunks, so the seams cannot be heard.
 */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  readonly #phases: Float32Array[];
  #input: Float32Array;
  /** Position of the next output, in steps of 1/up input samples from the end of the history. */
  #position = 0;

  /**
   * @param alignment `delayed`: every chunk gives its share at once; `aligned`: the first output is the
   * sound's own first moment, and comes when the filter has seen enough.
   */
  constructor(from: number, to: number, alignment: 'delayed' | 'aligned' = 'delayed') {
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
    if (alignment === 'aligned') this.#position = half * this.#up;
  }

  /** Delay of a delayed stream, in samples of the output rate; not always a whole number. */
  get delaySamples(): number {
    return (this.#taps / 2) * (this.#up / this.#down);
  }

  /** A chunk whose length is a multiple of from/gcd(from, to) gives exactly its share of output. */
  process(chunk: Int16Array): Int16Array {
    const input = new Float32Array(this.#taps + chunk.length);
    input.set(this.#input);
    input.set(chunk, this.#taps);
    const [up, down, taps] = [this.#up, this.#down, this.#taps];
    const end = chunk.length * up;
    const output = new Int16Array(Math.max(0, Math.ceil((end - this.#position) / down)));
    let position = this.#position;
    for (let index = 0; index < output.length; index += 1) {
      const first = Math.floor(position / up) + 1;
      const filter = this.#phases[position % up]!;
      let sum = 0;
      for (let tap = 0; tap < taps; tap += 1) sum += input[first + tap]! * filter[tap]!;
      output[index] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
      position += down;
    }
    this.#position = position - end;
    this.#input = input.slice(input.length - this.#taps);
    return output;
  }
}

/** A whole sound at another sample rate, without delay. */
export function resample(sound: Int16Array, from: number, to: number): Int16Array {
  if (from === to) return sound;
  const resampler = new Resampler(from, to, 'aligned');
  const length = Math.ceil((sound.length * to) / from);
  const padding = Math.ceil(((resampler.delaySamples + 1) * from) / to) + 1;
  const padded = new Int16Array(sound.length + padding);
  padded.set(sound);
  return resampler.process(padded).slice(0, length);
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
