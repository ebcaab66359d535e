import { expect, test } from 'vitest';
import { pcmWavFile } from '../platform/pcm-wav.ts';
import { readWav } from './wav.ts';

const sound = Int16Array.from([0, 1, -1, 32_767, -32_768]);

test('what is written can be read', () => {
  expect(readWav(pcmWavFile(sound, 8000))).toEqual({ samples: sound, sampleRate: 8000 });
});

test('a file whose writer did not know its length is read to its end', () => {
  const streamed = pcmWavFile(sound, 8000);
  streamed.writeUInt32LE(0x7fffffff, 40);
  expect(readWav(streamed).samples).toEqual(sound);
});

test('stereo becomes mono', () => {
  const stereo = pcmWavFile(Int16Array.from([100, 200, -100, -300]), 8000);
  stereo.writeUInt16LE(2, 22);
  expect(readWav(stereo).samples).toEqual(Int16Array.from([150, -200]));
});

test('what is no WAV file of 16 bit is refused', () => {
  expect(() => readWav(Buffer.from('ID3 something else'))).toThrow('not a WAV file');
  const eightBit = pcmWavFile(sound, 8000);
  eightBit.writeUInt16LE(8, 34);
  expect(() => readWav(eightBit)).toThrow('16 bit PCM');
  expect(() => readWav(pcmWavFile(sound, 8000).subarray(0, 30))).toThrow();
});
