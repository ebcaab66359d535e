import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { environmentSchema } from './config-schema.ts';
import { ConfigError, loadConfig } from './config.ts';

const secrets = {
  API_KEY: 'key-of-the-tests-0001',
  LIVEKIT_API_KEY: 'livekit',
  LIVEKIT_API_SECRET: 'secret-of-the-tests-0123456789-abcdef',
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function problemsOf(environment: Record<string, string>): Record<string, string> {
  try {
    loadConfig({ root, environment });
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    return Object.fromEntries(thrown.problems.map(({ name, reason }) => [name, reason]));
  }
  return {};
}

describe('the configuration', () => {
  it('takes a value from the environment before .env, and .env before the default', () => {
    writeFileSync(path.join(root, '.env'), 'API_PORT=8111\nLOG_LEVEL=debug\n');
    const config = loadConfig({ root, environment: { ...secrets, API_PORT: '8222' } });
    expect([config.API_PORT, config.LOG_LEVEL, config.DISPATCHER_PORT]).toEqual([
      8222,
      'debug',
      8083,
    ]);
    expect(config.origins).toMatchObject({
      API_PORT: 'environment',
      LOG_LEVEL: '.env',
      DISPATCHER_PORT: 'default',
      PUBLIC_IP: 'unset',
    });
  });

  it('reports every problem at once, each by its name', () => {
    const problems = problemsOf({ API_KEY: 'short', API_PORT: 'eighty', AZURE_SPEECH_KEY: 'k' });
    expect(Object.keys(problems).sort()).toEqual([
      'API_KEY',
      'API_PORT',
      'AZURE_SPEECH_REGION',
      'LIVEKIT_API_KEY',
      'LIVEKIT_API_SECRET',
    ]);
    expect(problems['LIVEKIT_API_KEY']).toBe('is required, and is not set');
    expect(problems['AZURE_SPEECH_REGION']).toContain('while AZURE_SPEECH_KEY is');
  });

  it('refuses an unknown name in .env and says which one was probably meant', () => {
    writeFileSync(
      path.join(root, '.env'),
      'OPENAI_APIKEY=x\nFLAVOUR=mild\nTRUNK_ACME_PASSWORD=p\n',
    );
    const problems = problemsOf(secrets);
    expect(problems['OPENAI_APIKEY']).toContain('did you mean OPENAI_API_KEY?');
    expect(problems['FLAVOUR']).toContain('is not a variable of Trunkline');
    expect(problems).not.toHaveProperty('TRUNK_ACME_PASSWORD');
  });

  it('never repeats a value in an error', () => {
    const problems = problemsOf({
      ...secrets,
      LIVEKIT_API_SECRET: 'too-short',
      TWILIO_AUTH_TOKEN: 'token-x',
    });
    expect(JSON.stringify(problems)).not.toMatch(/too-short|token-x/);
  });

  it('cannot be changed after it is loaded', () => {
    const config = loadConfig({ root, environment: secrets });
    expect(() => Object.assign(config, { API_PORT: 1 })).toThrow(TypeError);
  });

  it('has every variable documented in .env.example, and no other there', () => {
    const example = readFileSync(path.resolve(import.meta.dirname, '../../.env.example'), 'utf8');
    const documented = [...example.matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1]);
    expect(new Set(documented)).toEqual(new Set(Object.keys(environmentSchema.shape)));
    expect(documented).toHaveLength(new Set(documented).size);
  });
});
