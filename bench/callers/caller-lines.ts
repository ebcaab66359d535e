import { conversationEvents } from '../../src/cli/simulator-client.ts';
import { Speech } from '../../src/simulator/speech.ts';

/** What callers say, one after the other and from the beginning again. */
const LINES = [
  'I would like to book a check-up for my son and for me, please.',
  'Any morning next week would suit us, but not on Wednesday.',
  'We have been with you before, three or four years ago.',
  'Could you tell me again what we have to bring with us?',
];
const SHORT_LINE = 'Thank you, goodbye.';

export type CallerLines = { long: Int16Array[]; short: Int16Array };

/** The sound of what callers say (16 kHz). */
export async function speakLines(): Promise<CallerLines> {
  const speech = new Speech();
  return {
    long: await Promise.all(LINES.map((line) => speech.say(line))),
    short: await speech.say(SHORT_LINE),
  };
}

/**
 * Makes the lines known to the simulator's ears, by a conversation in which they occur: one real call, which
 * also shows that an agent answers. The model's stand-in knows no answer to them and says the same sentence
 * to each, four seconds long.
 *
 * @returns whether the agent was heard
 */
export async function teachLines(simulatorUrl: string, number: string): Promise<boolean> {
  const conversation = {
    call: { to: number },
    steps: [
      { agent: {} },
      { caller: { hangs_up: true } },
      ...[...LINES, SHORT_LINE].map((says) => ({ caller: { says } })),
    ],
  };
  const asked = {
    file: 'bench',
    source: JSON.stringify(conversation),
    record: false,
    patience: '1',
  };
  const simulator = { url: simulatorUrl, apiKey: undefined };
  for await (const event of conversationEvents(simulator, asked)) {
    if (event.type !== 'report') continue;
    return event.report.calls.some(({ measures }) =>
      measures.some(({ name }) => name === 'answer_to_first_word'),
    );
  }
  return false;
}
