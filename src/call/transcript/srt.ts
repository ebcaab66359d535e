import { clockTime } from './clock-time.ts';
import { oneLine } from './one-line.ts';
import { speakerOf, type Transcript } from './transcript.ts';

/** Ordinary speech, in characters a second. */
const PACE = 15;
const SHORTEST_MS = 500;

/** Between a sign and what follows, unseen: SubRip cannot escape, and players take `<i>` and `{\an8}` for styles. */
const WORD_JOINER = '\u2060';

/**
 * Subtitles for the recording: SubRip (https://en.wikipedia.org/wiki/SubRip), times from the answer on. The ledger
 * knows when a turn was over; when it began is reckoned from its length, and never before the turn that precedes
 * it was over.
 */
export function srt(transcript: Transcript): string {
  let free = 0;
  const cues = transcript.lines.map((line, index) => {
    const speech = Math.max(SHORTEST_MS, (line.text.length / PACE) * 1000);
    const begin = Math.max(free, Math.round(line.offsetMs - speech));
    const end = Math.max(line.offsetMs, begin + SHORTEST_MS);
    free = end;
    const mark = line.interrupted ? ' [interrupted]' : '';
    return [
      String(index + 1),
      `${timestamp(begin)} --> ${timestamp(end)}`,
      `${speakerOf(transcript, line)}: ${shown(line.text)}${mark}`,
      '',
      '',
    ].join('\r\n');
  });
  return cues.join('');
}

function timestamp(ms: number): string {
  return `${clockTime(ms)},${String(ms % 1000).padStart(3, '0')}`;
}

function shown(text: string): string {
  return oneLine(text).replaceAll('-->', `--${WORD_JOINER}>`).replace(/[<{]/g, `$&${WORD_JOINER}`);
}
