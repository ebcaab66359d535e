import { describe, expect, it } from 'vitest';
import { PCMA, PCMU } from './g711.ts';

const everyCode = Uint8Array.from({ length: 256 }, (_, code) => code);
const encodeOne = (codec: typeof PCMU, value: number) => codec.encode(Int16Array.of(value))[0];

/**
 * ITU-T G.711 (11/88): the first code of each segment with its quantised value at the decoder output
 * (tables 2a and 1a, columns 6 and 8), in the 14-bit units of µ-law and the 13-bit units of A-law.
 */
const muTable = [
  [0x80, 8031],
  [0x8f, 4191],
  [0x90, 3999],
  [0x9f, 2079],
  [0xa0, 1983],
  [0xaf, 1023],
  [0xb0, 975],
  [0xbf, 495],
  [0xc0, 471],
  [0xcf, 231],
  [0xd0, 219],
  [0xdf, 99],
  [0xe0, 93],
  [0xef, 33],
  [0xf0, 30],
  [0xfe, 2],
  [0xff, 0],
] as const;
const aTable = [
  [0xff, 4032],
  [0xf0, 2112],
  [0xef, 2016],
  [0xe0, 1056],
  [0xdf, 1008],
  [0xd0, 528],
  [0xcf, 504],
  [0xc0, 264],
  [0xbf, 252],
  [0xb0, 132],
  [0xaf, 126],
  [0xa0, 66],
  [0x9f, 63],
  [0x90, 33],
  [0x8f, 31],
  [0x80, 1],
] as const;

describe('G.711', () => {
  it('decodes µ-law to the values of table 2a, positive and negative', () => {
    for (const [code, value] of muTable) {
      expect([...PCMU.decode(Uint8Array.of(code, code & 0x7f))]).toEqual([
        value * 4,
        -value * 4 + 0,
      ]);
    }
  });

  it('decodes A-law to the values of table 1a, with the even bits inverted, positive and negative', () => {
    for (const [code, value] of aTable) {
      const wire = code ^ 0x55;
      expect([...PCMA.decode(Uint8Array.of(wire, wire & 0x7f))]).toEqual([value * 8, -value * 8]);
    }
  });

  it('encodes silence as 0xff in µ-law and 0xd5 in A-law', () => {
    expect(encodeOne(PCMU, 0)).toBe(0xff);
    expect(encodeOne(PCMA, 0)).toBe(0xd5);
  });

  it('encodes the decision values of both laws into the segment above them', () => {
    // µ-law x(n) of table 2a: 31 begins the second segment, 8158 is clipped. A-law x(n) of table 1a.
    expect(encodeOne(PCMU, 31 * 4)).toBe(0xef);
    expect(encodeOne(PCMU, 31 * 4 - 1)).toBe(0xf0);
    expect(encodeOne(PCMU, 4063 * 4)).toBe(0x8f);
    expect(encodeOne(PCMU, 4063 * 4 - 1)).toBe(0x90);
    expect(encodeOne(PCMA, 64 * 8)).toBe(0xa0 ^ 0x55);
    expect(encodeOne(PCMA, 64 * 8 - 1)).toBe(0x9f ^ 0x55);
    expect(encodeOne(PCMA, 2048 * 8)).toBe(0xf0 ^ 0x55);
    expect(encodeOne(PCMA, 2048 * 8 - 1)).toBe(0xef ^ 0x55);
  });

  it('gives back every code that it decoded, but for the negative zero of µ-law', () => {
    const mu = [...PCMU.encode(PCMU.decode(everyCode))];
    expect(mu).toEqual([...everyCode].map((code) => (code === 0x7f ? 0xff : code)));
    expect([...PCMA.encode(PCMA.decode(everyCode))]).toEqual([...everyCode]);
  });

  // 32636 is where µ-law clips (8159 in table 2a); half a step is 4 in its first segment and doubles with each.
  it.each([
    { codec: PCMU, halfStep: (code: number) => 4 << ((~code >> 4) & 7) },
    { codec: PCMA, halfStep: (code: number) => 8 << Math.max(0, (((code ^ 0x55) >> 4) & 7) - 1) },
  ])('quantises every sample of $codec.name within half a step, never out of order', (law) => {
    const samples = Int16Array.from({ length: 2 * 32_636 }, (_, index) => index - 32_636);
    const codes = law.codec.encode(samples);
    const heard = law.codec.decode(codes);
    const wrong = [...samples].filter((sample, index) => {
      const far = Math.abs((heard[index] ?? NaN) - sample) > law.halfStep(codes[index] ?? 0);
      return far || (heard[index] ?? 0) < (heard[index - 1] ?? -32_768);
    });
    expect(wrong).toEqual([]);
  });
});
