import { expect, it } from 'vitest';
import { completenessOf } from './finished-words.ts';

it.each([
  'I would like to book a check-up.',
  'Where do I have to go to?',
  'I would like to book a check-up, please.',
  'Yes.',
  'yes',
  'Thank you, goodbye.',
  'No, thank you.',
  'Guten Tag, ich möchte einen Termin.',
  'Haben Sie am Montag offen?',
  'ja genau',
  'Maybe on Tuesday, um, or on Wednesday in the morning.',
])('takes “%s” for finished', (words) => {
  expect(completenessOf(words)).toBe('finished');
});

it.each([
  'I would like to book a',
  'I would like to book a.',
  'My son has a toothache and',
  'Maybe on Tuesday, um,',
  'At what time, uh',
  'Well,',
  'Let me see…',
  'The number is',
  'My number is 441,',
  'Also, ähm,',
  'Ich hätte gern einen Termin für',
  'Am Dienstag oder',
  '',
])('takes “%s” for unfinished', (words) => {
  expect(completenessOf(words)).toBe('unfinished');
});

it.each([
  'I would like to book',
  'Good.',
  'Anna Baker',
  'I think so.',
  'Yes, I will.',
  'Tuesday.',
  'He had it yesterday. Tuesday.',
  'Ich möchte gerne morgen',
])('does not know of “%s”', (words) => {
  expect(completenessOf(words)).toBe('open');
});
