import { clockTime } from './clock-time.ts';
import { oneLine } from './one-line.ts';
import { speakerOf, type Transcript } from './transcript.ts';

/** A line a turn: `[00:00:04] Agent: Hello.`, with the time at which it was over. */
export function plainText(transcript: Transcript): string {
  return transcript.lines
    .map((line) => {
      const mark = line.interrupted ? ' [interrupted]' : '';
      const speaker = speakerOf(transcript, line);
      return `[${clockTime(line.offsetMs)}] ${speaker}: ${oneLine(line.text)}${mark}\n`;
    })
    .join('');
}
