import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newCallId } from '../call-id.ts';
import { finishRecording, removeRecording } from './finish-recording.ts';
import { HEADER_BYTES, muLawHeader } from './mu-law-wav.ts';
import { isRecordingFile, PART, recordingFile } from './recording-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'recordings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a writer leaves that dies. */
function leave(file: string, content: Buffer): string {
  const target = path.join(folder, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(`${target}${PART}`, content);
  return target;
}

describe('recordingFile', () => {
  it('tells day and name from the id alone', () => {
    const call = newCallId(Date.UTC(2026, 0, 2, 23, 59, 59));
    expect(recordingFile(call)).toBe(`2026/01/02/${call}.wav`);
    expect(isRecordingFile(recordingFile(call))).toBe(true);
  });

  it.each([
    '../../../etc/passwd',
    '2026/01/02/../../../../etc/passwd',
    '/2026/01/02/call_01m7yfzhwyrn24fbfcjbn4ygt5.wav',
    '2026/01/02/call_01m7yfzhwyrn24fbfcjbn4ygt5.wav\n',
    '2026/01/02/call_01m7yfzhwyrn24fbfcjbn4ygt5.wav.part',
    '2026/01/02/.wav',
  ])('takes no other path for one of a recording: %j', (file) => {
    expect(isRecordingFile(file)).toBe(false);
  });
});

describe('finishRecording', () => {
  it('gives what a dead writer left its length and its name', async () => {
    const file = recordingFile(newCallId());
    const sound = Buffer.alloc(16_001, 0x80);
    const target = leave(file, Buffer.concat([muLawHeader(), sound]));
    const recorded = await finishRecording(folder, file);
    expect(recorded).toEqual({ file, durationMs: 1000, bytes: HEADER_BYTES + 16_000 });
    const written = readFileSync(target);
    expect(written.length).toBe(recorded?.bytes);
    expect(written.readUInt32LE(4)).toBe(written.length - 8);
    expect(written.readUInt32LE(54)).toBe(16_000);
    expect(readdirSync(path.dirname(target))).toEqual([path.basename(target)]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a header', Buffer.alloc(20)],
    ['a header', muLawHeader()],
  ])('leaves no file of a writer that left %s', async (_what, content) => {
    const file = recordingFile(newCallId());
    const target = leave(file, content);
    expect(await finishRecording(folder, file)).toBeUndefined();
    expect(readdirSync(path.dirname(target))).toEqual([]);
  });

  it('gives the recording to one of several that try', async () => {
    const file = recordingFile(newCallId());
    leave(file, Buffer.concat([muLawHeader(), Buffer.alloc(1600, 0x80)]));
    const results = await Promise.all([1, 2, 3].map(async () => finishRecording(folder, file)));
    expect(results.filter((recorded) => recorded !== undefined)).toHaveLength(1);
  });

  it('knows nothing of a call that was not recorded', async () => {
    expect(await finishRecording(folder, recordingFile(newCallId()))).toBeUndefined();
  });
});

describe('removeRecording', () => {
  it('removes it, finished or not, and is content where there is none', async () => {
    const file = recordingFile(newCallId());
    const target = leave(file, muLawHeader());
    writeFileSync(target, 'x');
    await removeRecording(folder, file);
    await removeRecording(folder, file);
    expect(readdirSync(path.dirname(target))).toEqual([]);
  });

  it('touches nothing else', async () => {
    const other = path.join(folder, 'keep.txt');
    writeFileSync(other, 'x');
    await expect(removeRecording(path.join(folder, 'sub'), '../keep.txt')).rejects.toThrow(
      RangeError,
    );
    expect(existsSync(other)).toBe(true);
  });
});
