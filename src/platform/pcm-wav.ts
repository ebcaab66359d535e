const PCM = 1;
const BYTES_PER_SAMPLE = 2;

export const PCM_WAV_HEADER_BYTES = 44;

/** The header of a RIFF WAVE file of signed 16 bit PCM, before so many bytes of sound. */
export function pcmWavHeader(sound: {
  channels: number;
  sampleRate: number;
  bytes: number;
}): Buffer {
  const { channels, sampleRate, bytes } = sound;
  const header = Buffer.alloc(PCM_WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(PCM_WAV_HEADER_BYTES - 8 + bytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(PCM, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * channels * BYTES_PER_SAMPLE, 28);
  header.writeUInt16LE(channels * BYTES_PER_SAMPLE, 32);
  header.writeUInt16LE(BYTES_PER_SAMPLE * 8, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(bytes, 40);
  return header;
}

/** A file of mono sound. */
export function pcmWavFile(samples: Int16Array, sampleRate: number): Buffer {
  const sound = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  return Buffer.concat([pcmWavHeader({ channels: 1, sampleRate, bytes: sound.length }), sound]);
}
