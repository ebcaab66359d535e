/** Fast Fourier transform in place, radix 2 (Cooley and Tukey), of one fixed size. */
export class FourierTransform {
  readonly #size: number;
  readonly #cosines: Float32Array;
  readonly #sines: Float32Array;
  readonly #swaps: readonly (readonly [number, number])[];

  /** @param size a power of two */
  constructor(size: number) {
    this.#size = size;
    this.#cosines = Float32Array.from({ length: size / 2 }, (_, k) =>
      Math.cos((2 * Math.PI * k) / size),
    );
    this.#sines = Float32Array.from(
      { length: size / 2 },
      (_, k) => -Math.sin((2 * Math.PI * k) / size),
    );
    const bits = Math.log2(size);
    const swaps: [number, number][] = [];
    for (let index = 0; index < size; index += 1) {
      let reversed = 0;
      for (let bit = 0; bit < bits; bit += 1) reversed = (reversed << 1) | ((index >> bit) & 1);
      if (reversed > index) swaps.push([index, reversed]);
    }
    this.#swaps = swaps;
  }

  transform(real: Float32Array, imaginary: Float32Array): void {
    for (const [a, b] of this.#swaps) {
      const swapReal = real[a]!;
      const swapImaginary = imaginary[a]!;
      real[a] = real[b]!;
      imaginary[a] = imaginary[b]!;
      real[b] = swapReal;
      imaginary[b] = swapImaginary;
    }
    for (let half = 1; half < this.#size; half *= 2) {
      const stride = this.#size / (2 * half);
      for (let start = 0; start < this.#size; start += 2 * half) {
        for (let k = 0; k < half; k += 1) {
          const cosine = this.#cosines[k * stride]!;
          const sine = this.#sines[k * stride]!;
          const even = start + k;
          const odd = even + half;
          const oddReal = real[odd]! * cosine - imaginary[odd]! * sine;
          const oddImaginary = real[odd]! * sine + imaginary[odd]! * cosine;
          real[odd] = real[even]! - oddReal;
          imaginary[odd] = imaginary[even]! - oddImaginary;
          real[even] = real[even]! + oddReal;
          imaginary[even] = imaginary[even]! + oddImaginary;
        }
      }
    }
  }
}
