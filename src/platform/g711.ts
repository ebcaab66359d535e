/** The two codecs of the telephone network: G.711 µ-law and A-law, 8 kHz, by their names in SDP. */
export type G711Name = 'PCMU' | 'PCMA';

export type G711 = {
  readonly name: G711Name;
  /** Static RTP payload type (RFC 3551, table 4). */
  readonly payloadType: number;
  encode(samples: Int16Array): Buffer;
  decode(bytes: Uint8Array): Int16Array;
};

/** µ-law: the bias that makes every segment begin at a power of two (ITU-T G.711, table 2). */
const MU_BIAS = 0x84;
const MU_CLIP = 0x7fff - MU_BIAS;

/** Decoded values of all 256 codes; linear values have 16 bits, so µ-law's 14 and A-law's 13 are shifted. */
const muValues = Int16Array.from({ length: 256 }, (_, code) => decodeMu(code));
const aValues = Int16Array.from({ length: 256 }, (_, code) => decodeA(code));

export const PCMU: G711 = codec('PCMU', 0, encodeMu, muValues);
export const PCMA: G711 = codec('PCMA', 8, encodeA, aValues);

function codec(
  name: G711Name,
  payloadType: number,
  encode: (sample: number) => number,
  values: Int16Array,
): G711 {
  return {
    name,
    payloadType,
    encode: (samples) => {
      const bytes = Buffer.alloc(samples.length);
      for (let index = 0; index < samples.length; index += 1)
        bytes[index] = encode(samples[index]!);
      return bytes;
    },
    decode: (bytes) => Int16Array.from(bytes, (code) => values[code] ?? 0),
  };
}

function encodeMu(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), MU_CLIP) + MU_BIAS;
  const segment = 24 - Math.clz32(magnitude);
  const step = (magnitude >> (segment + 3)) & 0x0f;
  return ~(sign | (segment << 4) | step) & 0xff;
}

function decodeMu(code: number): number {
  const inverted = ~code & 0xff;
  const segment = (inverted >> 4) & 0x07;
  const magnitude = ((((inverted & 0x0f) << 3) + MU_BIAS) << segment) - MU_BIAS;
  return inverted & 0x80 ? -magnitude : magnitude;
}

function encodeA(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80;
  // 12 bits; the negative half is the ones' complement of the positive (ITU-T G.711, table 1).
  const magnitude = (sample < 0 ? ~sample : sample) >> 4;
  const segment = Math.max(0, 28 - Math.clz32(magnitude));
  const step = (magnitude >> Math.max(0, segment - 1)) & 0x0f;
  return (sign | (segment << 4) | step) ^ 0x55;
}

function decodeA(code: number): number {
  const plain = code ^ 0x55;
  const segment = (plain >> 4) & 0x07;
  const step = plain & 0x0f;
  const magnitude = segment === 0 ? (step << 4) + 8 : ((step << 4) + 0x108) << (segment - 1);
  return plain & 0x80 ? magnitude : -magnitude;
}
