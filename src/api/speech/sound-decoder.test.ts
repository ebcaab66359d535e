import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { pcmWavFile } from '../../platform/pcm-wav.ts';
import { SoundDecoder, type Sound } from './sound-decoder.ts';
import { LONGEST_SOUND_MS } from './speech-limits.ts';

const FIXTURES = path.join(import.meta.dirname, 'fixtures');
/** How long the line of the fixtures lasts; encoders add some silence. */
const LINE_MS = 2252;
const SLACK_MS = 120;

async function decode(file: Uint8Array, chunkBytes: number): Promise<Sound> {
  const decoder = new SoundDecoder(LONGEST_SOUND_MS);
  try {
    for (let start = 0; start < file.length; start += chunkBytes) {
      await decoder.push(file.subarray(start, start + chunkBytes));
    }
    return await decoder.end();
  } finally {
    decoder.free();
  }
}

function loudness({ samples }: Sound): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}

describe('the decoder of uploaded sound', () => {
  const files = ['line.wav', 'line.mp3', 'line-opus.ogg', 'line-vorbis.ogg', 'line.webm'];
  it.each(files)('decodes %s, in whatever pieces it comes', async (name) => {
    const file = readFileSync(path.join(FIXTURES, name));
    const whole = await decode(file, file.length);
    const seconds = whole.samples.length / whole.sampleRate;
    expect(Math.abs(seconds * 1000 - LINE_MS)).toBeLessThan(SLACK_MS);
    expect(loudness(whole)).toBeGreaterThan(500);
    for (const chunkBytes of [1, 61, 1000]) {
      const pieced = await decode(file, chunkBytes);
      expect(pieced.sampleRate).toBe(whole.sampleRate);
      // mp3 decoders differ by a frame in what they make of the end.
      expect(Math.abs(pieced.samples.length - whole.samples.length)).toBeLessThanOrEqual(1152);
    }
  });

  it('reads back what it writes', async () => {
    const sound = {
      samples: Int16Array.from([0, 1000, -1000, 32_000, -32_000]),
      sampleRate: 24_000,
    };
    const file = pcmWavFile(sound.samples, sound.sampleRate);
    const { samples, sampleRate } = await decode(file, file.length);
    expect(sampleRate).toBe(24_000);
    expect([...samples].map((sample) => Math.round(sample / 100))).toEqual([0, 10, -10, 320, -320]);
  });

  it('refuses what is no sound, whatever it is called', async () => {
    const failing = [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(5000, 'PK')];
    for (const file of failing) {
      await expect(decode(file, 100)).rejects.toMatchObject({
        failure: { kind: 'unknown_format' },
      });
    }
    const theora = Buffer.concat([Buffer.from('OggS'), Buffer.alloc(200, 'theora')]);
    await expect(decode(theora, 100)).rejects.toMatchObject({
      failure: { kind: 'unknown_format' },
    });
  });

  it.each(['line.webm', 'line-opus.ogg', 'line.wav'])(
    'says of %s, cut off within its head, that it is broken',
    async (name) => {
      const file = readFileSync(path.join(FIXTURES, name)).subarray(0, 50);
      await expect(decode(file, 100)).rejects.toMatchObject({ failure: { kind: 'broken_sound' } });
    },
  );

  it('stops at two minutes, however small the file is', async () => {
    const sampleRate = 8000;
    const most = new Int16Array((LONGEST_SOUND_MS / 1000) * sampleRate);
    const file = pcmWavFile(most, sampleRate);
    expect((await decode(file, 65_536)).samples).toHaveLength(most.length);
    const longer = pcmWavFile(new Int16Array(most.length + 1), sampleRate);
    await expect(decode(longer, 65_536)).rejects.toMatchObject({ failure: { kind: 'too_long' } });
  });

  it('refuses a sample rate that no telephone knows', async () => {
    for (const sampleRate of [100, 4_000_000]) {
      const file = pcmWavFile(new Int16Array(1000), sampleRate);
      await expect(decode(file, 1000)).rejects.toMatchObject({ failure: { kind: 'broken_sound' } });
    }
  });
});
