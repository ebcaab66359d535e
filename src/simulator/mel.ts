import { FourierTransform } from './fourier.ts';
import { SAMPLE_RATE } from './leg.ts';

/** Telephone band (ITU-T G.712): what G.711 leaves of a voice. */
const LOWEST_HZ = 200;
const HIGHEST_HZ = 3400;
export const BANDS = 22;
/** 25 ms: long enough to tell formants, short enough to follow speech. */
export const WINDOW_SAMPLES = 400;
const FFT_SIZE = 512;
/** Bands more than 25 dB below the strongest tell of noise and codec, not of the voice. */
const BAND_FLOOR = 10 ** -2.5;
const SILENCE_DB = -100;

export type MelFrame = {
  /** Level within the telephone band, dB of full scale. */
  level: number;
  /** Shape of the log-mel spectrum: mean 0, length 1, so that a dot product is a correlation. */
  shape: Float32Array;
};

/** Log-mel spectra of 25 ms windows. Holds scratch memory: one for each stream. */
export class MelAnalysis {
  readonly #fourier = new FourierTransform(FFT_SIZE);
  readonly #window = Float32Array.from(
    { length: WINDOW_SAMPLES },
    (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / WINDOW_SAMPLES),
  );
  readonly #filters = melFilters();
  readonly #real = new Float32Array(FFT_SIZE);
  readonly #imaginary = new Float32Array(FFT_SIZE);
  readonly #bands = new Float32Array(BANDS);

  /** Analyses the 25 ms of `sound` that end before sample `end`; what lies outside the sound is silence. */
  analyse(sound: Int16Array, end: number, shape: Float32Array = new Float32Array(BANDS)): MelFrame {
    const start = end - WINDOW_SAMPLES;
    this.#real.fill(0);
    this.#imaginary.fill(0);
    for (let index = 0; index < WINDOW_SAMPLES; index += 1) {
      this.#real[index] = ((sound[start + index] ?? 0) / 32_768) * this.#window[index]!;
    }
    this.#fourier.transform(this.#real, this.#imaginary);
    let total = 0;
    let strongest = 1e-14;
    for (let band = 0; band < BANDS; band += 1) {
      const filter = this.#filters[band]!;
      let power = 0;
      for (let index = 0; index < filter.weights.length; index += 1) {
        const bin = filter.first + index;
        power += filter.weights[index]! * (this.#real[bin]! ** 2 + this.#imaginary[bin]! ** 2);
      }
      this.#bands[band] = power;
      total += power;
      strongest = Math.max(strongest, power);
    }
    let mean = 0;
    for (let band = 0; band < BANDS; band += 1) {
      shape[band] = Math.log(this.#bands[band]! / strongest + BAND_FLOOR);
      mean += shape[band]! / BANDS;
    }
    let length = 1e-9;
    for (let band = 0; band < BANDS; band += 1) {
      shape[band] = shape[band]! - mean;
      length += shape[band]! ** 2;
    }
    const scale = 1 / Math.sqrt(length);
    for (let band = 0; band < BANDS; band += 1) shape[band] = shape[band]! * scale;
    return { level: Math.max(SILENCE_DB, 10 * Math.log10(total / LEVEL_SCALE + 1e-12)), shape };
  }
}

/** A full-scale square wave within the band is about 0 dB: window power times FFT length, one side. */
const LEVEL_SCALE = (WINDOW_SAMPLES ** 2 * 0.375) / 4;

type MelFilter = { first: number; weights: Float32Array };

function melFilters(): MelFilter[] {
  const lowest = melOf(LOWEST_HZ);
  const step = (melOf(HIGHEST_HZ) - lowest) / (BANDS + 1);
  const binWidth = SAMPLE_RATE / FFT_SIZE;
  return Array.from({ length: BANDS }, (_, band) => {
    const [left, middle, right] = [0, 1, 2].map((edge) =>
      hertzOf(lowest + (band + edge) * step),
    ) as [number, number, number];
    const first = Math.ceil(left / binWidth);
    const last = Math.floor(right / binWidth);
    const weights = Float32Array.from({ length: last - first + 1 }, (_value, index) => {
      const frequency = (first + index) * binWidth;
      return frequency <= middle
        ? (frequency - left) / (middle - left)
        : (right - frequency) / (right - middle);
    });
    return { first, weights };
  });
}

/** O'Shaughnessy's mel scale. */
function melOf(hertz: number): number {
  return 2595 * Math.log10(1 + hertz / 700);
}

function hertzOf(mel: number): number {
  return 700 * (10 ** (mel / 2595) - 1);
}
