/** Sound out of a WAV file: mono, signed 16 bit. */
export type WavSound = { samples: Int16Array; sampleRate: number };

const PCM = 1;
const EXTENSIBLE = 0xfffe;

/**
 * Reads a RIFF WAVE file of 16 bit PCM; several channels are mixed to one. A length of data that is wrong
 * because the writer streamed it (espeak-ng does) is taken as "up to the end".
 *
 * @throws Error naming what the file is instead.
 */
export function readWav(file: Buffer): WavSound {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('not a WAV file');
  }
  let format: { channels: number; sampleRate: number } | undefined;
  for (let offset = 12; offset + 8 <= file.length;) {
    const id = file.toString('latin1', offset, offset + 4);
    const size = file.readUInt32LE(offset + 4);
    const start = offset + 8;
    if (id === 'fmt ' && start + 16 <= file.length) {
      const encoding = file.readUInt16LE(start);
      const bits = file.readUInt16LE(start + 14);
      if ((encoding !== PCM && encoding !== EXTENSIBLE) || bits !== 16) {
        throw new Error('only WAV files of 16 bit PCM can be read');
      }
      format = { channels: file.readUInt16LE(start + 2), sampleRate: file.readUInt32LE(start + 4) };
    }
    if (id === 'data') {
      if (!format || format.channels === 0 || format.sampleRate === 0) break;
      const end = Math.min(start + size, file.length);
      return {
        samples: mixDown(readSamples(file.subarray(start, end)), format.channels),
        sampleRate: format.sampleRate,
      };
    }
    offset = start + size + (size % 2);
  }
  throw new Error('a WAV file without sound');
}

/** Samples from little-endian bytes; an odd byte at the end is left out. */
export function readSamples(bytes: Buffer): Int16Array {
  const samples = new Int16Array(Math.floor(bytes.length / 2));
  for (let index = 0; index < samples.length; index += 1) {
    samples[index] = bytes.readInt16LE(index * 2);
  }
  return samples;
}

/** Little-endian bytes of samples. */
export function writeSamples(samples: Int16Array): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  for (const [index, sample] of samples.entries()) bytes.writeInt16LE(sample, index * 2);
  return bytes;
}

/** Interleaved channels mixed to one. */
export function mixDown(samples: Int16Array, channels: number): Int16Array {
  if (channels === 1) return samples;
  const mono = new Int16Array(Math.floor(samples.length / channels));
  for (let index = 0; index < mono.length; index += 1) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1) {
      sum += samples[index * channels + channel]!;
    }
    mono[index] = Math.round(sum / channels);
  }
  return mono;
}
