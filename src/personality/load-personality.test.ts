import { describe, expect, it } from 'vitest';
import { formatProblem } from '../platform/yaml-file.ts';
import { loadPersonality } from './load-personality.ts';
import type { Personality, Prompt } from './personality.ts';

const prompt = (key: string): [string, Prompt] => [
  key,
  { key, text: 'x', parameters: { shop: { default: 'x', required: false } } },
];
const prompts = new Map<string, Prompt | undefined>([
  prompt('default_inbound'),
  prompt('default_outbound'),
  ['broken', undefined],
]);
const allKeys = {
  OPENAI_API_KEY: 'k',
  AZURE_SPEECH_KEY: 'k',
  AZURE_SPEECH_REGION: 'westeurope',
  DEEPGRAM_API_KEY: 'k',
};

/** As MISSION writes it, and users have it. */
const german = `name: "German Assistant"
components:
  stt: { provider: azure, language: de-DE }
  llm: { provider: openai, model: gpt-4.1-mini }     # azure_openai is also a value users have here
  tts: { provider: azure, language: de-DE, voice: de-DE-KatjaNeural }
prompts: { inbound: default_inbound, outbound: default_outbound }
`;

const load = (source: string, credentials: Record<string, string> = allKeys) =>
  loadPersonality('test', source, 'agents/test.yaml', { prompts, credentials });

function good(source: string, credentials?: Record<string, string>): Personality {
  const loaded = load(source, credentials);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.personality;
}

function problems(source: string, credentials?: Record<string, string>): string[] {
  const loaded = load(source, credentials);
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

describe('loadPersonality', () => {
  it('loads the assistant that users have, with good defaults for all that it leaves out', () => {
    expect(good(german)).toMatchObject({
      key: 'test',
      name: 'German Assistant',
      language: 'de-DE',
      simulated: false,
      components: {
        stt: { provider: 'azure', language: 'de-DE' },
        llm: { provider: 'openai', model: 'gpt-4.1-mini' },
        tts: { provider: 'azure', voice: 'de-DE-KatjaNeural' },
        vad: { provider: 'silero', min_silence_duration: 100, min_speech_duration: 50 },
      },
      prompts: { inbound: { key: 'default_inbound' }, outbound: { key: 'default_outbound' } },
      greeting: {},
      listensFirst: false,
      limits: { maxDurationMs: 900_000, silenceReminderMs: 12_000, silenceMs: 40_000 },
      turn: { detection: 'words', minDelayMs: 150, interruptionMinDurationMs: 80 },
    });
  });

  it('accepts azure_openai as the language model', () => {
    const azure = german.replace('provider: openai, model: gpt-4.1-mini', 'provider: azure_openai');
    const credentials = {
      ...allKeys,
      AZURE_OPENAI_API_KEY: 'k',
      AZURE_OPENAI_ENDPOINT: 'https://x.openai.azure.com',
      AZURE_OPENAI_DEPLOYMENT_NAME: 'd',
    };
    expect(good(azure, credentials).components.llm).toMatchObject({ provider: 'azure_openai' });
    expect(problems(azure)).toEqual([
      'agents/test.yaml:4:20: components.llm.provider: needs AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_DEPLOYMENT_NAME, set neither in the environment nor in .env',
    ]);
  });

  it('reports all problems of a file at once, each at its line and column', () => {
    const source = `nmae: Test
components:
  stt: { provider: deepgram, smart_fromat: true, endpointing: -1 }
  llm: { provider: opnai }
  tts: { provider: openai, speed: 9 }
prompts: { inbound: defualt_inbound, outbound: broken }
greeting: "Hello {{ name"
limits: { max_duration: 10 }
turn: { detection: magic }
`;
    expect(problems(source)).toEqual([
      'agents/test.yaml:1:1: name: is required',
      'agents/test.yaml:1:1: nmae: is not a known key; did you mean name?',
      'agents/test.yaml:3:30: components.stt.smart_fromat: is not a known key; did you mean smart_format?',
      'agents/test.yaml:3:63: components.stt.endpointing: Too small: expected number to be >=0',
      'agents/test.yaml:4:20: components.llm.provider: must be one of openai, azure_openai, simulator; did you mean openai?',
      'agents/test.yaml:5:35: components.tts.speed: Too big: expected number to be <=4',
      'agents/test.yaml:6:21: prompts.inbound: is not a prompt of prompts.yaml; did you mean default_inbound?',
      'agents/test.yaml:6:48: prompts.outbound: this prompt has problems of its own',
      'agents/test.yaml:7:11: greeting: output "{{ name" not closed (1:7 of the text)',
      'agents/test.yaml:8:25: limits.max_duration: must be a time with its unit, for example 10m, 90s or 250ms',
      'agents/test.yaml:9:20: turn.detection: Invalid option: expected one of "words"|"vad"|"stt"',
    ]);
  });

  it('finds a missing key of a vendor where the vendor is named, when another vendor has one', () => {
    expect(problems(german, { OPENAI_API_KEY: 'k' })).toEqual([
      'agents/test.yaml:3:20: components.stt.provider: needs AZURE_SPEECH_KEY and AZURE_SPEECH_REGION, set neither in the environment nor in .env',
      'agents/test.yaml:5:20: components.tts.provider: needs AZURE_SPEECH_KEY and AZURE_SPEECH_REGION, set neither in the environment nor in .env',
    ]);
  });

  it('falls back to the simulator only where there is no key of any vendor', () => {
    const loaded = load(german, { REDIS_URL: 'redis://x' });
    expect(loaded).toMatchObject({
      ok: true,
      fellBack: true,
      personality: {
        simulated: true,
        language: 'de-DE',
        components: { stt: { provider: 'simulator' }, tts: { provider: 'simulator' } },
      },
    });
  });

  it('needs no key for a compatible server, but the one that is named', () => {
    const local = german
      .replaceAll(', language: de-DE', '')
      .replaceAll('provider: azure', 'provider: openai, base_url: "http://localhost:8880/v1"')
      .replace(
        'model: gpt-4.1-mini',
        'base_url: "http://localhost:11434/v1", api_key_variable: SECRET_X',
      );
    expect(problems(local, { AZURE_SPEECH_KEY: 'k' })).toEqual([
      'agents/test.yaml:4:20: components.llm.provider: needs SECRET_X, set neither in the environment nor in .env',
    ]);
    expect(good(local, { AZURE_SPEECH_KEY: 'k', SECRET_X: 'k' }).simulated).toBe(false);
    const keyed = local.replace('SECRET_X', 'sk-123');
    expect(problems(keyed).join()).toContain('must be the name of an environment variable');
    expect(problems(keyed).join()).not.toContain('sk-123');
  });

  it('counts a personality with any part on the simulator as simulated', () => {
    const mixed = german.replace('provider: azure, language: de-DE }', 'provider: simulator }');
    expect(good(mixed).simulated).toBe(true);
  });

  it('reports a variable of the greeting that the prompt does not declare', () => {
    expect(problems(`${german}greeting: { outbound: "Hello {{ shpo }}" }\n`)).toEqual([
      'agents/test.yaml:7:23: greeting.outbound: shpo is no parameter of the prompt default_outbound; did you mean shop?',
    ]);
    expect(good(`${german}greeting: "Hello {{ shop }}"\n`).greeting).toEqual({
      inbound: 'Hello {{ shop }}',
      outbound: 'Hello {{ shop }}',
    });
  });

  it('reports contradictions, and times, zones and languages that do not exist', () => {
    const source = `${german}language: german
timezone: Europe/Bärlin
limits: { silence_reminder: 50s }
turn: { min_delay: 4s }
`;
    expect(problems(source).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'agents/test.yaml:7:11: language:',
      'agents/test.yaml:8:11: timezone:',
      'agents/test.yaml:9:1: limits.silence:',
      'agents/test.yaml:10:20: turn.min_delay:',
    ]);
  });

  it('changes its version with its file and its prompts, and with nothing else', () => {
    const { hash } = good(german);
    expect(good(`# a comment\n${german}`).hash).toBe(hash);
    expect(good(german.replace('Katja', 'Conrad')).hash).not.toBe(hash);
    const other = loadPersonality('test', german, 'agents/test.yaml', {
      prompts: new Map([
        ...prompts,
        ['default_inbound', { ...prompt('default_inbound')[1], text: 'y' }],
      ]),
      credentials: allKeys,
    });
    expect(other.ok && other.personality.hash).not.toBe(hash);
  });

  it('cannot be changed once it is loaded', () => {
    const { limits } = good(german);
    expect(() => Object.assign(limits, { maxDurationMs: 1 })).toThrow(TypeError);
  });
});
