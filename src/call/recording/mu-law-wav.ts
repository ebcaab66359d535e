/** Samples a second of each side: what a telephone line carries (ITU-T G.711). */
export const RECORDING_RATE = 8000;

/** Left the caller, right the agent. */
const CHANNELS = 2;

/** Format tag of G.711 µ-law (RFC 2361, appendix A). */
const MU_LAW = 7;

export const HEADER_BYTES = 58;

/** A length that tells readers to go on to the end of the file. */
const UNKNOWN = 0xffff_ffff;

/**
 * The header of a WAV file of G.711 µ-law in stereo. A format that is not PCM has the longer `fmt ` chunk, and
 * a `fact` chunk (Microsoft's "New Multimedia Data Types and Data Techniques", 1994).
 *
 * @param bytes of sound that follow; absent: up to the end of the file, as in one that is still written.
 */
export function muLawHeader(bytes?: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(bytes === undefined ? UNKNOWN : HEADER_BYTES - 8 + bytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(MU_LAW, 20);
  header.writeUInt16LE(CHANNELS, 22);
  header.writeUInt32LE(RECORDING_RATE, 24);
  header.writeUInt32LE(RECORDING_RATE * CHANNELS, 28);
  header.writeUInt16LE(CHANNELS, 32);
  header.writeUInt16LE(8, 34);
  header.write('fact', 38, 'latin1');
  header.writeUInt32LE(4, 42);
  header.writeUInt32LE(bytes === undefined ? UNKNOWN : bytes / CHANNELS, 46);
  header.write('data', 50, 'latin1');
  header.writeUInt32LE(bytes ?? UNKNOWN, 54);
  return header;
}

/** How much of a file's bytes is whole samples of both sides. */
export function soundBytes(fileBytes: number): number {
  return Math.max(0, Math.floor((fileBytes - HEADER_BYTES) / CHANNELS) * CHANNELS);
}

/** Bytes of sound that last so many ms. */
export function bytesOf(ms: number): number {
  return Math.round((ms * RECORDING_RATE) / 1000) * CHANNELS;
}

/** ms that so many bytes of sound last. */
export function durationMs(bytes: number): number {
  return Math.round((bytes / CHANNELS / RECORDING_RATE) * 1000);
}
