import { clockTime } from './clock-time.ts';
import { oneLine } from './one-line.ts';
import { entriesOf, sentenceOf, speakerOf, type Transcript } from './transcript.ts';

/** A line a turn: `[00:00:04] Agent: Hello.`, with the time at which it was over. */
export function plainText(transcript: Transcript): string {
  return entriesOf(transcript)
    .map((line) => {
      if (line.kind === 'break') return `[${clockTime(line.offsetMs)}] (${sentenceOf(line)})\n`;
      const mark = line.interrupted ? ' [interrupted]' : '';
      const speaker = speakerOf(transcript, line);
      return `[${clockTime(line.offsetMs)}] ${speaker}: ${oneLine(line.text)}${mark}\n`;
    })
    .join('');
}
