import { expect, test } from 'vitest';
import { loadPersonality } from '../personality/load-personality.ts';
import type { Personality } from '../personality/personality.ts';
import { plainPersonality } from '../personality/personality-fixture.ts';
import { conversationSettings } from './conversation-settings.ts';

function personality(source: string): Personality {
  const hello = { key: 'hello', text: 'Rules.', parameters: {} };
  const loaded = loadPersonality('test', source, 'agents/test.yaml', {
    prompts: new Map([['hello', hello]]),
    credentials: {},
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.personality;
}

const outbound = { direction: 'outbound', variables: {} } as const;

test('what an order says stands instead of what its personality says', () => {
  const one = personality(`${plainPersonality}greeting: Hello.\nlimits: { max_duration: 5m }\n`);
  expect(conversationSettings(one, outbound)).toMatchObject({
    instructions: 'Rules.',
    greeting: 'Hello.',
    maxDurationMs: 300_000,
  });
  const order = { prompt: 'Ask.', greeting: 'Hi.', maxDurationMs: 10_000 };
  expect(conversationSettings(one, { ...outbound, ...order })).toMatchObject({
    instructions: 'Ask.',
    greeting: 'Hi.',
    maxDurationMs: 10_000,
  });
});

test('the prompt of an order comes after the rules of a personality that insists on them', () => {
  const source = plainPersonality.replace('prompts: {', 'prompts: { llm_prompt: append,');
  const settings = conversationSettings(personality(source), { ...outbound, prompt: 'Ask.' });
  expect(settings.instructions).toBe('Rules.\n\nAsk.');
});
