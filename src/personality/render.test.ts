import { describe, expect, it } from 'vitest';
import { loadPersonality } from './load-personality.ts';
import type { Personality, Prompt } from './personality.ts';
import { missingParameters, renderGreeting, renderInstructions, renderPrompt } from './render.ts';
import { plainPersonality } from './personality-fixture.ts';

const at = new Date('2026-11-21T13:05:00Z');

function personality(extra: string, prompt: Partial<Prompt>): Personality {
  const hello = { key: 'hello', text: '', parameters: {}, ...prompt };
  const loaded = loadPersonality('test', plainPersonality + extra, 'agents/test.yaml', {
    prompts: new Map([['hello', hello]]),
    credentials: {},
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.personality;
}

describe('renderPrompt', () => {
  it('fills in defaults, given values and what every call has', () => {
    const text = '{{ agent_name }} of {{ shop }}, {{ direction }}, {{ language }}{{ caller_name }}';
    const one = personality('', { text, parameters: { shop: { default: 'A', required: false } } });
    expect(renderPrompt(one, 'inbound', {}, at)).toBe('Test of A, inbound, en-US');
    const given = { shop: 'B', caller_name: '!' };
    expect(renderPrompt(one, 'outbound', given, at)).toBe('Test of B, outbound, en-US!');
  });

  it('tells the day and the time in the language and the zone of the personality', () => {
    const text = '{{ today }} {{ now }}';
    const german = personality('language: de-DE\ntimezone: Europe/Berlin\n', { text });
    expect(renderPrompt(german, 'inbound', {}, at)).toBe('Samstag, 21. November 2026 14:05');
    const tokyo = personality('language: en-GB\ntimezone: Asia/Tokyo\n', { text });
    expect(renderPrompt(tokyo, 'inbound', {}, at)).toContain('22:05');
  });

  it('refuses a call without a required value, and names all that are missing', () => {
    const required = { required: true };
    const one = personality('', {
      text: '{{ a }}{{ b }}{{ c }}',
      parameters: { a: required, b: required, c: { required: false } },
    });
    expect(missingParameters(one, 'inbound', { a: '' })).toEqual(['a', 'b']);
    expect(() => renderPrompt(one, 'inbound', {})).toThrow('test needs the variables a, b');
    expect(renderPrompt(one, 'inbound', { a: 1, b: false })).toBe('1false');
  });
});

describe('renderInstructions', () => {
  const prompt = { text: 'Rules for {{ name }}.\n', parameters: { name: { required: true } } };

  it('is what the call brings instead of the prompt, where the personality says nothing else', () => {
    const one = personality('', prompt);
    expect(renderInstructions(one, 'outbound', {}, 'Ask {{ name }}.')).toBe('Ask {{ name }}.');
    expect(renderInstructions(one, 'outbound', { name: 'Ada' }, undefined)).toBe(
      'Rules for Ada.\n',
    );
  });

  it('is the prompt and then what the call brings, where the personality says so', () => {
    const source = plainPersonality.replace('prompts: {', 'prompts: { llm_prompt: append,');
    const loaded = loadPersonality('test', source, 'agents/test.yaml', {
      prompts: new Map([['hello', { key: 'hello', ...prompt }]]),
      credentials: {},
    });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const given = { name: 'Ada' };
    expect(renderInstructions(loaded.personality, 'outbound', given, 'Ask her.')).toBe(
      'Rules for Ada.\n\nAsk her.',
    );
    expect(() => renderInstructions(loaded.personality, 'outbound', {}, 'x')).toThrow('name');
  });
});

describe('renderGreeting', () => {
  it('is the one of the direction, trimmed, or undefined', () => {
    const one = personality('greeting: { outbound: " Hello {{ shop }} " }\n', {
      parameters: { shop: { default: 'A', required: false } },
    });
    expect(renderGreeting(one, 'outbound', {})).toBe('Hello A');
    expect(renderGreeting(one, 'inbound', {})).toBeUndefined();
  });
});
