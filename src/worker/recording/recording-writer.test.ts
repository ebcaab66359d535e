import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newCallId } from '../../call/call-id.ts';
import { HEADER_BYTES, muLawHeader } from '../../call/recording/mu-law-wav.ts';
import { recordingFile } from '../../call/recording/recording-file.ts';
import { RecordingWriter } from './recording-writer.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'recordings-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function aWriter(below = folder) {
  const file = recordingFile(newCallId());
  const failures: Error[] = [];
  const writer = new RecordingWriter({
    folder: below,
    file,
    onFailure: (error) => failures.push(error),
  });
  return { writer, failures, file, target: path.join(below, file) };
}

/** A file on a disk that has room for so many writings only. */
function fullAfter(writings: number, handle: FileHandle): FileHandle {
  const append = handle.appendFile.bind(handle);
  let left = writings;
  handle.appendFile = async (data) => {
    if (left === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    left -= 1;
    await append(data);
  };
  return handle;
}

const files = () =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(path.join(folder, name)).isFile(),
  );

describe('a recording whose writer died', () => {
  function next(file: string, continuesAtMs: number) {
    const failures: Error[] = [];
    const onFailure = (error: Error) => failures.push(error);
    return { writer: new RecordingWriter({ folder, file, onFailure, continuesAtMs }), failures };
  }
  const second = (value: number) => Buffer.alloc(16_000, value);

  it('goes on in the same file, what is missing as silence', async () => {
    const lost = aWriter();
    lost.writer.append(second(1));
    await lost.writer.abandon();
    const { writer, failures } = next(lost.file, 2500);
    writer.append(second(2));
    expect(await writer.finish()).toEqual({
      file: lost.file,
      durationMs: 3500,
      bytes: HEADER_BYTES + 56_000,
    });
    expect(failures).toEqual([]);
    const sound = readFileSync(lost.target).subarray(HEADER_BYTES);
    expect(sound).toEqual(Buffer.concat([second(1), Buffer.alloc(24_000, 0xff), second(2)]));
    expect(files()).toEqual([lost.file]);
    expect(statSync(lost.target).mode & 0o777).toBe(0o600);
  });

  it('is not written into by one that was only taken for dead', async () => {
    const lost = aWriter();
    lost.writer.append(second(1));
    await vi.waitFor(() => expect(statSync(`${lost.target}.part`).size).toBeGreaterThan(16_000));
    const { writer } = next(lost.file, 1000);
    writer.append(second(2));
    await vi.waitFor(() => expect(statSync(`${lost.target}.part`).size).toBeGreaterThan(32_000));
    lost.writer.append(second(3));
    await lost.writer.abandon();
    expect(await writer.finish()).toMatchObject({ durationMs: 2000 });
    expect(readFileSync(lost.target).subarray(HEADER_BYTES)).toEqual(
      Buffer.concat([second(1), second(2)]),
    );
  });

  it('is silent up to there where nothing of it is left', async () => {
    const { writer } = next(recordingFile(newCallId()), 150_000);
    writer.append(second(2));
    expect(await writer.finish()).toMatchObject({ durationMs: 151_000 });
  });
});

describe('RecordingWriter', () => {
  it('leaves a finished file that its owner alone can read', async () => {
    const { writer, failures, file, target } = aWriter();
    for (let second = 0; second < 3; second += 1) writer.append(Buffer.alloc(16_000, second));
    expect(await writer.finish()).toEqual({ file, durationMs: 3000, bytes: HEADER_BYTES + 48_000 });
    expect(failures).toEqual([]);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(target)).mode & 0o777).toBe(0o700);
    const content = readFileSync(target);
    expect(content.subarray(0, HEADER_BYTES)).toEqual(muLawHeader(48_000));
    expect(content[HEADER_BYTES + 47_999]).toBe(2);
    expect(files()).toEqual([file]);
  });

  it('can be played while it is written', async () => {
    const { writer, target } = aWriter();
    writer.append(Buffer.alloc(16_000, 1));
    await vi.waitFor(() => {
      expect(statSync(`${target}.part`).size).toBe(HEADER_BYTES + 16_000);
    });
    expect(readFileSync(`${target}.part`).subarray(0, HEADER_BYTES)).toEqual(muLawHeader());
    await writer.finish();
  });

  it('leaves nothing of a call in which nothing was heard', async () => {
    const { writer, failures } = aWriter();
    expect(await writer.finish()).toBeUndefined();
    expect(failures).toEqual([]);
    expect(files()).toEqual([]);
  });

  it('tells once that the folder cannot be made, and goes on', async () => {
    const notAFolder = path.join(folder, 'file');
    writeFileSync(notAFolder, '');
    const { writer, failures } = aWriter(notAFolder);
    writer.append(Buffer.alloc(16_000));
    expect(await writer.finish()).toBeUndefined();
    writer.append(Buffer.alloc(16_000));
    expect(failures).toEqual([expect.objectContaining({ code: 'ENOTDIR' })]);
  });

  it('leaves no half recording when the disk is full', async () => {
    const file = recordingFile(newCallId());
    const failures: Error[] = [];
    const writer = new RecordingWriter({
      folder,
      file,
      onFailure: (error) => failures.push(error),
      openFile: async (...args) => fullAfter(2, await open(...args)),
    });
    for (let second = 0; second < 5; second += 1) writer.append(Buffer.alloc(16_000));
    expect(await writer.finish()).toBeUndefined();
    expect(failures).toEqual([expect.objectContaining({ code: 'ENOSPC' })]);
    expect(files()).toEqual([]);
  });

  it('gives up where the disk is too slow, before the memory is full', async () => {
    const { writer, failures } = aWriter();
    for (let second = 0; second < 140; second += 1) writer.append(Buffer.alloc(16_000));
    expect(await writer.finish()).toBeUndefined();
    expect(failures.map(({ message }) => message)).toEqual(['the disk is too slow']);
    expect(files()).toEqual([]);
  });

  it('does not touch a recording that is there already', async () => {
    const first = aWriter();
    first.writer.append(Buffer.alloc(16_000, 7));
    await vi.waitFor(() => expect(statSync(`${first.target}.part`).size).toBeGreaterThan(16_000));
    const second = new RecordingWriter({
      folder,
      file: first.file,
      onFailure: (error) => first.failures.push(error),
    });
    await vi.waitFor(() => expect(first.failures).toHaveLength(1));
    expect(await second.finish()).toBeUndefined();
    expect(await first.writer.finish()).toMatchObject({ durationMs: 1000 });
  });
});
