import path from 'node:path';
import { decodeTime } from 'ulid';
import { resolvePath, type Config } from '../../platform/config.ts';
import type { CallId } from '../call-id.ts';

/** Ends the name of a recording that is still written, or whose writer died. */
export const PART = '.part';

/** Follows it where another agent makes ready to go on with the recording. */
export const NEXT = '.next';

/** The folder of recordings, absolute. Workers and apis on several machines share it. */
export function recordingsFolder(config: Config): string {
  return resolvePath(config, config.RECORDINGS_DIR ?? path.join(config.DATA_DIR, 'recordings'));
}

/**
 * Where the recording of a call lies below the folder of recordings: `yyyy/mm/dd/<call id>.wav`, by the time
 * within the call's id (UTC), so that everybody who knows the id finds it.
 */
export function recordingFile(call: CallId): string {
  const [day = ''] = new Date(decodeTime(call.slice('call_'.length).toUpperCase()))
    .toISOString()
    .split('T');
  return `${day.replaceAll('-', '/')}/${call}.wav`;
}

/** Whether a path is one that `recordingFile` gives; any other is neither read nor removed. */
export function isRecordingFile(file: string): boolean {
  return /^\d{4}\/\d\d\/\d\d\/call_[0-9a-z]{26}\.wav$/.test(file);
}
