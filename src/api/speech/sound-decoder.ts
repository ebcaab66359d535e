import { FORMAT_BYTES, soundFormat, type SoundFormat } from './sound-format.ts';
import { TurnError } from './speech-message.ts';

/** Decoded sound: one channel, signed 16 bit. */
export type Sound = { samples: Int16Array; sampleRate: number };

type Decoded = { channelData: Float32Array[]; sampleRate: number };
type Codec = {
  decode(chunk: Uint8Array): Decoded | Promise<Decoded>;
  flush?(): Decoded | Promise<Decoded>;
  free(): void;
};

const RATES = { least: 8000, most: 192_000 };

/**
 * Decodes a file of sound chunk by chunk as it arrives. A small file may hold hours: decoding stops as soon as
 * there is more than `longestMs`.
 */
export class SoundDecoder {
  readonly #longestMs: number;
  #head: Uint8Array = new Uint8Array(0);
  #codec: Codec | undefined;
  #parts: Int16Array[] = [];
  #length = 0;
  #sampleRate: number | undefined;
  #busyMs = 0;

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** How long decoding has taken so far, in ms. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** @throws TurnError where the file is no sound that is known, is broken, or too long. */
  async push(chunk: Uint8Array): Promise<void> {
    if (this.#codec) {
      await this.#decode(chunk);
      return;
    }
    const head = Buffer.concat([this.#head, chunk]);
    this.#head = head;
    if (head.length >= FORMAT_BYTES) await this.#begin(head);
  }

  /** The whole sound. @throws TurnError */
  async end(): Promise<Sound> {
    if (!this.#codec) await this.#begin(this.#head);
    const codec = this.#codec;
    if (codec?.flush) await this.#take(async () => codec.flush?.());
    if (this.#sampleRate === undefined || this.#length === 0) {
      throw new TurnError('broken_sound', 'The file holds no sound.');
    }
    const samples = new Int16Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      samples.set(part, offset);
      offset += part.length;
    }
    return { samples, sampleRate: this.#sampleRate };
  }

  free(): void {
    this.#codec?.free();
    this.#codec = undefined;
    this.#parts = [];
  }

  async #begin(head: Uint8Array): Promise<void> {
    const format = soundFormat(head);
    if (!format) {
      throw new TurnError('unknown_format', 'The file is neither wav, mp3, ogg nor webm.');
    }
    this.#head = new Uint8Array(0);
    this.#codec = await codecOf(format);
    await this.#decode(head);
  }

  async #decode(chunk: Uint8Array): Promise<void> {
    await this.#take(async () => this.#codec?.decode(chunk));
  }

  async #take(decode: () => Promise<Decoded | undefined>): Promise<void> {
    const start = performance.now();
    try {
      const decoded = await decode();
      if (decoded) this.#add(decoded);
    } catch (thrown) {
      if (thrown instanceof TurnError) throw thrown;
      throw new TurnError('broken_sound', 'The file is broken; it cannot be decoded.', thrown);
    } finally {
      this.#busyMs += performance.now() - start;
    }
  }

  #add({ channelData, sampleRate }: Decoded): void {
    const length = channelData[0]?.length ?? 0;
    if (length === 0) return;
    if (!(sampleRate >= RATES.least && sampleRate <= RATES.most)) {
      throw new TurnError('broken_sound', 'The sample rate is not between 8 and 192 kHz.');
    }
    if (this.#sampleRate !== undefined && this.#sampleRate !== sampleRate) {
      throw new TurnError('broken_sound', 'The sample rate changes within the file.');
    }
    this.#sampleRate = sampleRate;
    this.#length += length;
    if (this.#length > (this.#longestMs / 1000) * sampleRate) {
      throw new TurnError('too_long', `The sound may last ${this.#longestMs / 1000} s at most.`);
    }
    this.#parts.push(toMono(channelData, length));
  }
}

/** The mean of all channels. */
function toMono(channels: readonly Float32Array[], length: number): Int16Array {
  const mono = new Int16Array(length);
  for (let index = 0; index < length; index += 1) {
    let sum = 0;
    for (const channel of channels) sum += channel[index] ?? 0;
    const value = Math.round((sum / channels.length) * 32_767);
    mono[index] = Math.max(-32_768, Math.min(32_767, value));
  }
  return mono;
}

async function codecOf(format: SoundFormat): Promise<Codec> {
  switch (format) {
    case 'wav':
      return (await import('@audio/decode-wav')).decoder();
    case 'mp3':
      return (await import('@audio/decode-mp3')).decoder();
    case 'ogg-opus':
      return (await import('@audio/decode-opus')).decoder();
    case 'ogg-vorbis':
      return (await import('@audio/decode-vorbis')).decoder();
    case 'webm':
      return (await import('@audio/decode-webm')).decoder();
  }
}
