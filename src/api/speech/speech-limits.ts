/** Limits of what may be uploaded to be heard. */
export const LARGEST_FILE_BYTES = 10 * 1024 * 1024;
export const LONGEST_SOUND_MS = 120_000;
