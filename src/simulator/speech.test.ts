import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OperatorError } from '../platform/errors.ts';
import { Speech } from './speech.ts';
import { AGENT_VOICE, CALLER_VOICE, espeakVoice, guessLanguage } from './voices.ts';

let folder: string;
/** espeak-ng, with a line in a file for each time it is run. */
let counting: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'speech-test-'));
  counting = path.join(folder, 'espeak');
  await writeFile(counting, `#!/bin/sh\necho run >> "${folder}/runs"\nexec espeak-ng "$@"\n`);
  await chmod(counting, 0o755);
});

afterAll(() => rm(folder, { recursive: true }));

async function takeRuns(): Promise<number> {
  const runs = await readFile(path.join(folder, 'runs'), 'utf8').catch(() => '');
  await rm(path.join(folder, 'runs'), { force: true });
  return runs.split('\n').filter(Boolean).length;
}

describe('the mouth', () => {
  test('speaks 16 kHz sound that is neither silent nor clipped', async () => {
    const sound = await new Speech().say('Hello, how can I help?');
    const loudest = sound.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(sound.length / 16_000).toBeGreaterThan(1);
    expect(sound.length / 16_000).toBeLessThan(3);
    expect(loudest).toBeGreaterThan(5000);
    expect(loudest).toBeLessThan(32_767);
  });

  test('says the same words once, however many ask at the same time', async () => {
    const speech = new Speech({ program: counting });
    const [one, two] = await Promise.all([
      speech.say('Good morning.'),
      speech.say(' Good  morning. '),
    ]);
    expect(one).toBe(two);
    expect(await speech.say('Good morning.')).toBe(one);
    expect(await takeRuns()).toBe(1);
  });

  test('forgets the oldest words when it has said too much', async () => {
    const speech = new Speech({ program: counting, cacheMs: 1500 });
    for (const text of ['Good morning.', 'Good evening.', 'Good night.']) await speech.say(text);
    await takeRuns();
    await speech.say('Good night.');
    expect(await takeRuns()).toBe(0);
    await speech.say('Good morning.');
    expect(await takeRuns()).toBe(1);
  });

  test('takes a text that looks like an option as a text', async () => {
    const sound = await new Speech().say('--help');
    expect(sound.length).toBeGreaterThan(3000);
  });

  test('without espeak-ng says how to get it', async () => {
    const speech = new Speech({ program: path.join(folder, 'missing') });
    const failure = await speech.say('Hello.').catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(OperatorError);
    expect((failure as OperatorError).remedy).toContain('apt-get install espeak-ng');
  });
});

describe('voices', () => {
  test('agent and caller differ in every language', () => {
    for (const language of ['en', 'de', 'en-GB']) {
      expect(espeakVoice(AGENT_VOICE, language)).not.toEqual(espeakVoice(CALLER_VOICE, language));
    }
  });

  test('a language in the name of a voice is spoken', () => {
    expect(espeakVoice('sim-agent-de', undefined).name).toBe('de+f3');
    expect(espeakVoice('de-DE-KatjaNeural', undefined).name).toMatch(/^de\+/);
    expect(espeakVoice('alloy', 'de-DE').name).toMatch(/^de\+/);
  });

  test("a vendor's voice is always the same, and nobody else's", () => {
    expect(espeakVoice('alloy', 'en')).toEqual(espeakVoice('alloy', 'en'));
    expect(espeakVoice('alloy', 'en')).not.toEqual(espeakVoice('nova', 'en'));
  });

  test('German is told from English by its words', () => {
    expect(guessLanguage('Guten Tag, wie kann ich helfen?')).toBe('de');
    expect(guessLanguage('Für zwei')).toBe('de');
    expect(guessLanguage('Hello, how can I help you?')).toBe('en');
    expect(guessLanguage('')).toBe('en');
  });
});
