import { AudioFrame } from '@livekit/rtc-node';

/** Forty seconds at 24 kHz take 2 MB. */
const MOST_BYTES = 8 * 1024 * 1024;

/** Sound that was made once and is said again: greetings, by voice and text. The one used longest ago goes first. */
export class SpokenShelf {
  readonly #kept = new Map<string, readonly AudioFrame[]>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes: number = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** Frames of their own, since the framework writes notes on those that it plays; the sound is shared. */
  take(key: string): AudioFrame[] | undefined {
    const frames = this.#kept.get(key);
    if (!frames) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, frames);
    return frames.map(copyOf);
  }

  keep(key: string, frames: readonly AudioFrame[]): void {
    if (this.#kept.has(key) || bytesOf(frames) > this.#mostBytes / 4) return;
    this.#kept.set(key, frames.map(copyOf));
    this.#bytes += bytesOf(frames);
    for (const [oldest, old] of this.#kept) {
      if (this.#bytes <= this.#mostBytes) break;
      this.#kept.delete(oldest);
      this.#bytes -= bytesOf(old);
    }
  }
}

function copyOf({ data, sampleRate, channels, samplesPerChannel }: AudioFrame): AudioFrame {
  return new AudioFrame(data, sampleRate, channels, samplesPerChannel);
}

function bytesOf(frames: readonly AudioFrame[]): number {
  return frames.reduce((sum, { data }) => sum + data.byteLength, 0);
}
