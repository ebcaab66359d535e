import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { CallEventOf } from '../call-event.ts';
import { durationMs, HEADER_BYTES, muLawHeader, soundBytes } from './mu-law-wav.ts';
import { isRecordingFile, NEXT, PART } from './recording-file.ts';

export type Recorded = CallEventOf<'call.recorded'>['data'];

/**
 * Makes a recording of what its writer left, whether it closed it or died: the header gets the true length,
 * and the file its name. Of several that try at once one succeeds.
 *
 * @param file below the folder of recordings
 * @returns undefined where nothing was left, or nothing had been heard yet
 * @throws where the folder cannot be written to
 */
export async function finishRecording(folder: string, file: string): Promise<Recorded | undefined> {
  const target = path.join(folder, file);
  const part = `${target}${PART}`;
  try {
    const bytes = await repair(part);
    if (bytes === 0) {
      await rm(part, { force: true });
      return undefined;
    }
    await rename(part, target);
    return { file, durationMs: durationMs(bytes), bytes: HEADER_BYTES + bytes };
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

/**
 * Removes the recording of a call, finished or not. What is not there needs no removal.
 *
 * @param file as it stands in the call's record
 * @throws RangeError where the file is none of a recording; Error where it cannot be removed
 */
export async function removeRecording(folder: string, file: string): Promise<void> {
  if (!isRecordingFile(file)) throw new RangeError('this is not the file of a recording');
  const target = path.join(folder, file);
  await rm(target, { force: true });
  await rm(`${target}${PART}`, { force: true });
  await rm(`${target}${PART}${NEXT}`, { force: true });
}

/** @returns bytes of sound */
async function repair(part: string): Promise<number> {
  const handle = await open(part, 'r+');
  try {
    const { size } = await handle.stat();
    const bytes = soundBytes(size);
    if (bytes === 0) return 0;
    await handle.truncate(HEADER_BYTES + bytes);
    await handle.write(muLawHeader(bytes), 0, HEADER_BYTES, 0);
    return bytes;
  } finally {
    await handle.close();
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
