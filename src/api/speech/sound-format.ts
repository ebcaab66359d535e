/** Containers of sound that can be decoded. */
export type SoundFormat = 'wav' | 'mp3' | 'ogg-opus' | 'ogg-vorbis' | 'webm';

/** This many bytes tell every format; a shorter file that tells none is none of them. */
export const FORMAT_BYTES = 64;

/**
 * The format of a file by its first bytes, whatever its name or declared type says: RIFF WAVE, Ogg (RFC 3533,
 * with the first packet of RFC 7845 or Vorbis), EBML (RFC 8794), MPEG audio with or without ID3v2.
 */
export function soundFormat(head: Uint8Array): SoundFormat | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, FORMAT_BYTES));
  const at = (offset: number, word: string) =>
    text.toString('latin1', offset, offset + word.length) === word;
  if (at(0, 'RIFF') && at(8, 'WAVE')) return 'wav';
  if (at(0, 'OggS')) {
    if (text.includes('OpusHead')) return 'ogg-opus';
    return text.includes('\u0001vorbis') ? 'ogg-vorbis' : undefined;
  }
  if (at(0, '\u001a\u0045\u00df\u00a3')) return 'webm';
  if (at(0, 'ID3')) return 'mp3';
  // Frame sync, a layer that is not reserved, a bit rate and a sample rate that exist.
  const [first = 0, second = 0, third = 0] = text;
  const frame =
    first === 0xff &&
    (second & 0xe0) === 0xe0 &&
    (second & 0x06) !== 0 &&
    (third & 0xf0) !== 0xf0 &&
    (third & 0x0c) !== 0x0c;
  return frame ? 'mp3' : undefined;
}
