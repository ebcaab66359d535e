import type { z } from 'zod';

/** Bytes of a minute of sound in a WAV file of 48 kHz stereo. */
export const WAV_LIMIT = 12 * 1024 * 1024;

/** What is wrong with a request, in one line. */
export function prettifyIssues(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');
}
