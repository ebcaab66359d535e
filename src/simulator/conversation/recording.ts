import { PCM_WAV_HEADER_BYTES, pcmWavHeader } from '../../platform/pcm-wav.ts';
import { SAMPLE_RATE } from '../leg.ts';

type Piece = { sound: Int16Array; at: number };

const CHANNELS = 2;
const BYTES_PER_SAMPLE = 2;

/** Both directions of a line: the caller on the left, the agent on the right, as they sounded in time. */
export class Recording {
  readonly #caller: Piece[] = [];
  readonly #agent: Piece[] = [];

  /** What the caller said, from `at` ms on. */
  addCaller(sound: Int16Array, at: number): void {
    this.#caller.push({ sound, at });
  }

  /** What the caller heard, from `at` ms on. */
  addAgent(sound: Int16Array, at: number): void {
    this.#agent.push({ sound, at });
  }

  /** The whole as a WAV file: 16 kHz, two channels, 16 bit (RIFF, format tag 1: PCM). */
  wav(): Buffer {
    const frames = Math.max(lengthOf(this.#caller), lengthOf(this.#agent));
    const bytes = frames * CHANNELS * BYTES_PER_SAMPLE;
    const header = pcmWavHeader({ channels: CHANNELS, sampleRate: SAMPLE_RATE, bytes });
    const file = Buffer.concat([header, Buffer.alloc(bytes)]);
    place(file, this.#caller, 0);
    place(file, this.#agent, 1);
    return file;
  }
}

function positionOf(at: number): number {
  return Math.round((at * SAMPLE_RATE) / 1000);
}

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce(
    (longest, { sound, at }) => Math.max(longest, positionOf(at) + sound.length),
    0,
  );
}

function place(file: Buffer, pieces: readonly Piece[], channel: number): void {
  for (const { sound, at } of pieces) {
    const start = positionOf(at);
    for (const [index, sample] of sound.entries()) {
      const frame = start + index;
      file.writeInt16LE(
        sample,
        PCM_WAV_HEADER_BYTES + (frame * CHANNELS + channel) * BYTES_PER_SAMPLE,
      );
    }
  }
}
