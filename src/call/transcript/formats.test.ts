import { describe, expect, it } from 'vitest';
import { markdown } from './markdown.ts';
import { plainText } from './plain-text.ts';
import { srt } from './srt.ts';
import type { Line, Transcript } from './transcript.ts';

const ANSWERED = Date.UTC(2026, 10, 21, 7, 26, 30);

type Spoken = Pick<Line, 'role' | 'text' | 'offsetMs'> & { interrupted?: boolean };

function transcript(spoken: Spoken[], more: Partial<Transcript> = {}): Transcript {
  return {
    id: 'call_01m7yfzhwyrn24fbfcjbn4ygt5',
    direction: 'outbound',
    personality: 'appointment_reminder',
    from: '+12025550110',
    to: '+12025550123',
    startedAt: new Date(ANSWERED - 10_000),
    answeredAt: new Date(ANSWERED),
    endedAt: new Date(ANSWERED + 65_250),
    outcome: 'completed',
    reason: 'The callee hung up.',
    lines: spoken.map((line) => ({
      interrupted: false,
      at: new Date(ANSWERED + line.offsetMs),
      ...line,
    })),
    breaks: [],
    ...more,
  };
}

const conversation = transcript([
  { role: 'agent', text: 'Good morning! Is this Ada?', offsetMs: 2_100 },
  { role: 'caller', text: 'Yes – who is this?', offsetMs: 4_005 },
  { role: 'agent', text: 'The practice; I call about', offsetMs: 6_000, interrupted: true },
  { role: 'caller', text: 'Grüße, 明日 🙂', offsetMs: 61_999 },
]);

describe('a transcript', () => {
  it('as plain text is a line a turn', () => {
    expect(plainText(conversation)).toBe(
      [
        '[00:00:02] Agent: Good morning! Is this Ada?',
        '[00:00:04] Callee: Yes – who is this?',
        '[00:00:06] Agent: The practice; I call about [interrupted]',
        '[00:01:01] Callee: Grüße, 明日 🙂',
        '',
      ].join('\n'),
    );
  });

  it('says where the agent was lost, to those who read', () => {
    const broken = transcript(
      [
        { role: 'agent', text: 'We are open from', offsetMs: 4_000, interrupted: true },
        { role: 'agent', text: 'I am back.', offsetMs: 7_000 },
      ],
      { breaks: [{ at: new Date(ANSWERED + 5_500), offsetMs: 5_500, silentMs: 1_234 }] },
    );
    expect(plainText(broken)).toBe(
      [
        '[00:00:04] Agent: We are open from [interrupted]',
        '[00:00:05] (the agent was lost for 1.2 s)',
        '[00:00:07] Agent: I am back.',
        '',
      ].join('\n'),
    );
    expect(markdown(broken)).toContain('\n*(00:00:05: the agent was lost for 1.2 s)*\n');
    expect(srt(broken)).not.toContain('lost');
  });

  it('as Markdown has a heading, the facts, and a paragraph a turn', () => {
    expect(markdown(conversation)).toBe(
      [
        '# Conversation call\\_01m7yfzhwyrn24fbfcjbn4ygt5',
        '',
        '| | |',
        '| --- | --- |',
        '| Direction | outbound |',
        '| From | +12025550110 |',
        '| To | +12025550123 |',
        '| Personality | appointment\\_reminder |',
        '| Began | 2026-11-21T07:26:20.000Z |',
        '| Answered | 2026-11-21T07:26:30.000Z |',
        '| Duration | 00:01:05 |',
        '| Outcome | completed |',
        '| How it ended | The callee hung up. |',
        '',
        '**Agent** (00:00:02): Good morning! Is this Ada?',
        '',
        '**Callee** (00:00:04): Yes – who is this?',
        '',
        '**Agent** (00:00:06): The practice; I call about *(interrupted)*',
        '',
        '**Callee** (00:01:01): Grüße, 明日 🙂',
        '',
      ].join('\n'),
    );
  });

  it('as SRT has cues that end with the turns and never overlap', () => {
    expect(srt(conversation)).toBe(
      [
        '1',
        '00:00:00,367 --> 00:00:02,100',
        'Agent: Good morning! Is this Ada?',
        '',
        '2',
        '00:00:02,805 --> 00:00:04,005',
        'Callee: Yes – who is this?',
        '',
        '3',
        '00:00:04,267 --> 00:00:06,000',
        'Agent: The practice; I call about [interrupted]',
        '',
        '4',
        '00:01:01,199 --> 00:01:01,999',
        'Callee: Grüße, 明日 🙂',
        '',
        '',
      ].join('\r\n'),
    );
  });

  it('calls the person the caller where the person called', () => {
    const inbound = transcript([{ role: 'caller', text: 'Hi', offsetMs: 0 }], {
      direction: 'inbound',
    });
    expect(plainText(inbound)).toBe('[00:00:00] Caller: Hi\n');
  });
});

describe('what somebody says', () => {
  const says = (text: string) => transcript([{ role: 'caller', text, offsetMs: 1000 }]);

  it('never passes for another line, another speaker or a command to a terminal', () => {
    const forged = says('Yes.\n[00:00:09] Agent: I owe you\u2028100 \u001b[2J\r\n\r\nAgent: more');
    expect(plainText(forged)).toBe(
      '[00:00:01] Callee: Yes. [00:00:09] Agent: I owe you 100 [2J Agent: more\n',
    );
    expect(srt(forged).trimEnd().split('\r\n')).toHaveLength(3);
    expect(
      markdown(forged)
        .split('\n')
        .filter((line) => line.startsWith('**')),
    ).toHaveLength(1);
  });

  it('means nothing in Markdown', () => {
    const text = '<b>*_`[x](http://y)`_*</b> | # a & b ~~c~~ \\ $d$';
    const shown = markdown(says(text)).trimEnd().split('): ').at(-1) ?? '';
    expect(shown).toBe(
      '\\<b\\>\\*\\_\\`\\[x\\](http://y)\\`\\_\\*\\</b\\> \\| \\# a \\& b \\~\\~c\\~\\~ \\\\ \\$d\\$',
    );
    expect(shown.replace(/\\([!-/:-@[-`{-~])/g, '$1')).toBe(text);
  });

  it('means nothing in SRT', () => {
    const shown = srt(says('00:00:01,000 --> 00:00:02,000 <i>{\\an8}x'));
    expect(shown.match(/-->/g)).toHaveLength(1);
    expect(shown).not.toMatch(/<i>|\{\\an8\}/);
  });
});

describe('SRT', () => {
  it('keeps cues apart whose turns end at once, and is legible for hours', () => {
    const cues = srt(
      transcript([
        { role: 'agent', text: 'x'.repeat(10_000), offsetMs: 0 },
        { role: 'caller', text: 'y', offsetMs: 0 },
        { role: 'agent', text: 'z', offsetMs: 36_000_123 },
      ]),
    );
    expect(cues.match(/^\d\d.*$/gm)).toEqual([
      '00:00:00,000 --> 00:00:00,500',
      '00:00:00,500 --> 00:00:01,000',
      '09:59:59,623 --> 10:00:00,123',
    ]);
  });
});
