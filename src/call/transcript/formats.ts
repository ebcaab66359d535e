import { markdown } from './markdown.ts';
import { plainText } from './plain-text.ts';
import { srt } from './srt.ts';
import type { Transcript } from './transcript.ts';

export const transcriptFormats = ['json', 'markdown', 'text', 'srt'] as const;
export type TranscriptFormat = (typeof transcriptFormats)[number];

/**
 * The media type of each format. SubRip has none of its own that is registered; this is what players and servers
 * use. Markdown: RFC 7763.
 */
export const transcriptTypes = {
  json: 'application/json',
  markdown: 'text/markdown',
  text: 'text/plain',
  srt: 'application/x-subrip',
} as const satisfies Record<TranscriptFormat, string>;

/** A transcript in one of the formats that are texts. */
export function writeTranscript(
  transcript: Transcript,
  format: Exclude<TranscriptFormat, 'json'>,
): string {
  switch (format) {
    case 'markdown':
      return markdown(transcript);
    case 'text':
      return plainText(transcript);
    case 'srt':
      return srt(transcript);
  }
}
