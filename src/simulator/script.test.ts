import { describe, expect, test } from 'vitest';
import { Script, type ScriptLine, type ScriptMessage } from './script.ts';

const user = (text: string): ScriptMessage => ({ role: 'user', text });
const agent = (text: string): ScriptMessage => ({ role: 'assistant', text });
const result = (name: string): ScriptMessage => ({ role: 'tool', name });
const system = (text: string): ScriptMessage => ({ role: 'system', text });

const GREETING = 'Hello, this is the restaurant. How can I help?';
const booking: ScriptLine[] = [
  { agent: { text: GREETING } },
  { caller: 'I would like to book a table.' },
  { agent: { text: 'Of course. For how many people?' } },
  { caller: 'For two.' },
  { agent: { tool: { name: 'book_table', arguments: { people: 2 } } } },
  { agent: { text: 'Your table is booked. Is there anything else?', delayMs: 20 } },
  { caller: 'No, thank you.' },
  { agent: { text: 'Goodbye.' } },
];

function scripted(...conversations: ScriptLine[][]): Script {
  const script = new Script();
  for (const lines of conversations) script.register(lines);
  return script;
}

describe('the script', () => {
  test('answers each line of the caller with what follows it', () => {
    const script = scripted(booking);
    const history = [system('Be kind.'), agent(GREETING), user('I would like to book a table.')];
    expect(script.reply(history)).toEqual({ text: 'Of course. For how many people?' });
    history.push(agent('Of course. For how many people?'), user('for two'));
    expect(script.reply(history)).toEqual({
      toolCall: { name: 'book_table', arguments: { people: 2 } },
    });
    history.push(agent(''), result('book_table'));
    expect(script.reply(history)).toEqual({
      text: 'Your table is booked. Is there anything else?',
      delayMs: 20,
    });
  });

  test('begins where the agent speaks first', () => {
    expect(scripted(booking).reply([system('Be kind.')])).toEqual({ text: GREETING });
  });

  test('finds its place when the agent was interrupted, or cut off before a word', () => {
    const script = scripted(booking);
    const cut = [
      agent('Hello, this is'),
      user('I would like to book a table.'),
      agent('Of course. For'),
    ];
    expect(script.reply([...cut, user('For two.')])).toHaveProperty('toolCall');
    expect(script.reply([user('I would like to book a table.'), user('For two.')])).toHaveProperty(
      'toolCall',
    );
  });

  test('understands lines that were merged, and one that was cut off', () => {
    const script = scripted(booking);
    expect(script.reply([user('I would like to book a table. For two.')])).toHaveProperty(
      'toolCall',
    );
    expect(script.reply([user('I would like to book')])).toEqual({
      text: 'Of course. For how many people?',
    });
  });

  test('tells the same line at two places apart by what came before', () => {
    const script = scripted([
      { agent: { text: 'Do you want coffee?' } },
      { caller: 'Yes.' },
      { agent: { text: 'And cake?' } },
      { caller: 'Yes.' },
      { agent: { text: 'Here you are.' } },
    ]);
    const once = [agent('Do you want coffee?'), user('Yes.')];
    expect(script.reply(once)).toEqual({ text: 'And cake?' });
    expect(script.reply([...once, agent('And cake?'), user('Yes.')])).toEqual({
      text: 'Here you are.',
    });
  });

  test('tells two conversations apart that share a line', () => {
    const other: ScriptLine[] = [
      { agent: { text: 'Good evening, the hotel speaking.' } },
      { caller: 'I would like to book a table.' },
      { agent: { text: 'I put you through to the restaurant.' } },
    ];
    for (const order of [
      [booking, other],
      [other, booking],
    ]) {
      const script = scripted(...order);
      expect(script.reply([agent(GREETING), user('I would like to book a table.')])).toEqual({
        text: 'Of course. For how many people?',
      });
      expect(
        script.reply([agent('Good evening, the hotel'), user('I would like to book a table.')]),
      ).toEqual({ text: 'I put you through to the restaurant.' });
    }
  });

  test('lets the caller go on where the caller has two lines', () => {
    const script = scripted([
      { caller: 'One moment.' },
      { caller: 'Here I am again.' },
      { agent: { text: 'Welcome back.' } },
    ]);
    expect(script.reply([user('One moment.')])).toEqual({});
    expect(script.reply([user('One moment.'), user('Here I am again.')])).toEqual({
      text: 'Welcome back.',
    });
  });

  test('is polite where it knows nothing, in the language of the agent', () => {
    const script = scripted(booking);
    expect(script.reply([user('What is the meaning of life?')]).text).toContain(
      'did not understand',
    );
    expect(
      script.reply([system('Du bist die Zentrale und sprichst mit Anrufern.'), user('Hä?')]).text,
    ).toContain('nicht verstanden');
    expect(new Script().reply([system('Answer in German.')]).text).toContain('Guten Tag');
  });

  test('says goodbye after its last line, and forgets a conversation that is over', () => {
    const script = new Script();
    const forget = script.register([{ caller: 'I must go now.' }]);
    expect(script.reply([user('I must go now.')]).text).toContain('goodbye');
    forget();
    expect(script.reply([user('I must go now.')]).text).toContain('did not understand');
  });
});
