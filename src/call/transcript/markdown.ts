import { clockTime } from './clock-time.ts';
import { oneLine } from './one-line.ts';
import { entriesOf, sentenceOf, speakerOf, type Transcript } from './transcript.ts';

/** A heading, what is known of the call, and a paragraph a turn (CommonMark, with GitHub's table). */
export function markdown(transcript: Transcript): string {
  const { answeredAt, endedAt } = transcript;
  const facts: [string, string | undefined][] = [
    ['Direction', transcript.direction],
    ['From', transcript.from],
    ['To', transcript.to],
    ['Personality', transcript.personality],
    ['Began', transcript.startedAt.toISOString()],
    ['Answered', answeredAt?.toISOString()],
    [
      'Duration',
      answeredAt && endedAt ? clockTime(endedAt.getTime() - answeredAt.getTime()) : undefined,
    ],
    ['Outcome', transcript.outcome],
    ['How it ended', transcript.reason],
  ];
  const table = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`| ${name} | ${escaped(value)} |`],
  );
  const spoken = entriesOf(transcript).map((line) => {
    if (line.kind === 'break') return `*(${clockTime(line.offsetMs)}: ${sentenceOf(line)})*\n`;
    const mark = line.interrupted ? ' *(interrupted)*' : '';
    const head = `**${speakerOf(transcript, line)}** (${clockTime(line.offsetMs)})`;
    return `${head}: ${escaped(line.text)}${mark}\n`;
  });
  return [
    `# Conversation ${escaped(transcript.id)}\n`,
    ['| | |', '| --- | --- |', ...table, ''].join('\n'),
    ...spoken,
  ].join('\n');
}

/**
 * Text that reads in Markdown as it was said. It never begins a line, so what means something only there (lists,
 * headings, rules) need not be escaped; punctuation of ordinary sentences stays legible.
 */
function escaped(text: string): string {
  return oneLine(text).replace(/[\\`*_[\]<>&~|$#]/g, String.raw`\$&`);
}
