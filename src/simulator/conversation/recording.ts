import { SAMPLE_RATE } from '../leg.ts';

type Piece = { sound: Int16Array; at: number };

const HEADER_BYTES = 44;
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
    const file = Buffer.alloc(HEADER_BYTES + bytes);
    file.write('RIFF', 0, 'latin1');
    file.writeUInt32LE(HEADER_BYTES - 8 + bytes, 4);
    file.write('WAVEfmt ', 8, 'latin1');
    file.writeUInt32LE(16, 16);
    file.writeUInt16LE(1, 20);
    file.writeUInt16LE(CHANNELS, 22);
    file.writeUInt32LE(SAMPLE_RATE, 24);
    file.writeUInt32LE(SAMPLE_RATE * CHANNELS * BYTES_PER_SAMPLE, 28);
    file.writeUInt16LE(CHANNELS * BYTES_PER_SAMPLE, 32);
    file.writeUInt16LE(BYTES_PER_SAMPLE * 8, 34);
    file.write('data', 36, 'latin1');
    file.writeUInt32LE(bytes, 40);
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
      file.writeInt16LE(sample, HEADER_BYTES + (frame * CHANNELS + channel) * BYTES_PER_SAMPLE);
    }
  }
}
