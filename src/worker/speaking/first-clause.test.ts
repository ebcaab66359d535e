import { expect, it } from 'vitest';
import { firstClause, FirstClauseTokenizer } from './first-clause.ts';

it.each([
  ['Gladly. Which day', 'Gladly.'],
  [
    'Of course, we are open from Monday to Friday, and',
    'Of course, we are open from Monday to Friday,',
  ],
  ['We are open from Monday to Friday from eight to five, and on', /to five,$/],
  ['Wirklich? Das ist', 'Wirklich?'],
  ['Please ask Dr. Miller. He', 'Please ask Dr. Miller.'],
  ['It costs 3.50 in all. Is', 'It costs 3.50 in all.'],
])('begins to speak “%s” with its first clause', (text, clause) => {
  expect(firstClause(text)).toEqual(
    typeof clause === 'string' ? clause : expect.stringMatching(clause),
  );
});

it.each([
  'Gladly.',
  'Yes, we',
  'No. 5 is',
  'We are open from Monday to Friday from eight',
  'Dr. Miller',
  'And what is your name, please',
])('waits where “%s” cannot be spoken by itself yet', (text) => {
  expect(firstClause(text)).toBeUndefined();
});

async function spoken(pieces: readonly string[]): Promise<string[]> {
  const stream = new FirstClauseTokenizer().stream();
  for (const piece of pieces) stream.pushText(piece);
  stream.endInput();
  stream.close();
  const tokens: string[] = [];
  for await (const { token } of stream) tokens.push(token);
  return tokens;
}

it('gives the first clause, then sentences, and loses no word', async () => {
  const text =
    'Of course, we are open from Monday to Friday, from eight in the morning. On Saturdays we are closed. Shall I book?';
  for (const size of [1, 7, 200]) {
    const pieces = text.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [];
    const tokens = await spoken(pieces);
    expect(tokens[0]).toBe('Of course, we are open from Monday to Friday,');
    expect(tokens.length).toBeGreaterThan(1);
    expect(tokens.join(' ')).toBe(text);
  }
});

it('gives a text that is one clause whole', async () => {
  expect(await spoken(['Good', 'bye.'])).toEqual(['Goodbye.']);
  expect(await spoken([])).toEqual([]);
});

it('gives the first clause before there is more', async () => {
  const stream = new FirstClauseTokenizer().stream();
  stream.pushText('Gladly. Wh');
  expect(await stream.next()).toMatchObject({ value: { token: 'Gladly.' } });
  stream.close();
  expect((await stream.next()).done).toBe(true);
});
