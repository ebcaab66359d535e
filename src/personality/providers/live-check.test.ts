import { initializeLogger } from '@livekit/agents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPersonality } from '../load-personality.ts';
import { testConfig } from '../personality-fixture.ts';
import { startAzureStandIn, type AzureStandIn } from './azure/azure-stand-in.ts';
import { checkLive, type LiveCheck } from './live-check.ts';
import { tolerateRejections } from './tolerate-rejections.ts';
import { startVendorStandIn, type Behaviour, type VendorStandIn } from './vendor-stand-in.ts';

tolerateRejections();

let vendor: VendorStandIn;
let azure: AzureStandIn;
beforeAll(async () => {
  initializeLogger({ pretty: false, level: 'silent' });
  [vendor, azure] = await Promise.all([startVendorStandIn(), startAzureStandIn()]);
});
afterAll(() => Promise.all([vendor.close(), azure.close()]));

/** The same three components with every vendor that has them. */
const sources = (server: string, azureServer: string) => ({
  deepgram: `
  stt: { provider: deepgram, base_url: "${server.replace('http', 'ws')}" }
  llm: { provider: openai, model: gpt-x, base_url: "${server}/v1" }
  tts: { provider: deepgram, base_url: "${server}" }`,
  openai: `
  stt: { provider: openai, model: whisper, base_url: "${server}/v1" }
  llm: { provider: azure_openai, endpoint: "${server}", deployment: d }
  tts: { provider: openai, base_url: "${server}/v1" }`,
  azure: `
  stt: { provider: azure, base_url: "${azureServer}" }
  llm: { provider: openai, base_url: "${server}/v1" }
  tts: { provider: azure, base_url: "${azureServer}" }`,
});

async function check(
  vendorName: keyof ReturnType<typeof sources>,
  options: { timeoutMs: number; server?: string },
): Promise<LiveCheck[]> {
  const config = testConfig({
    DEEPGRAM_API_KEY: 'deepgram-key',
    OPENAI_API_KEY: 'openai-key',
    AZURE_SPEECH_KEY: 'speech-key',
    AZURE_SPEECH_REGION: 'westeurope',
    AZURE_OPENAI_API_KEY: 'azure-key',
    AZURE_OPENAI_ENDPOINT: vendor.url,
    AZURE_OPENAI_DEPLOYMENT_NAME: 'd',
  });
  const { server } = options;
  const components = sources(server ?? vendor.url, server ?? azure.url)[vendorName];
  const prompt = { key: 'x', text: 'x', parameters: {} };
  const loaded = loadPersonality('test', `name: Test\ncomponents:${components}\n`, 'test.yaml', {
    prompts: new Map([
      ['default_inbound', prompt],
      ['default_outbound', prompt],
    ]),
    credentials: config.credentials,
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return checkLive(loaded.personality, { config, timeoutMs: options.timeoutMs });
}

const all = ['deepgram', 'openai', 'azure'] as const;
const behave = (behaviour: Behaviour) => {
  vendor.behave(behaviour);
  azure.behave(behaviour);
};

describe('checkLive', () => {
  it.each(all)('says how fast each vendor of %s answered', async (name) => {
    behave('answer');
    const checks = await check(name, { timeoutMs: 20_000 });
    expect(checks.map(({ component, ok }) => [component, ok])).toEqual([
      ['stt', true],
      ['llm', true],
      ['tts', true],
    ]);
    for (const one of checks) expect(one.ok && one.ms).toBeGreaterThanOrEqual(0);
  });

  it.each(all)('names the variable whose key %s refuses', async (name) => {
    behave(401);
    const checks = await check(name, { timeoutMs: 20_000 });
    const expected = {
      deepgram: ['DEEPGRAM_API_KEY', 'OPENAI_API_KEY', 'DEEPGRAM_API_KEY'],
      openai: ['OPENAI_API_KEY', 'AZURE_OPENAI_API_KEY', 'OPENAI_API_KEY'],
      azure: ['AZURE_SPEECH_KEY', 'OPENAI_API_KEY', 'AZURE_SPEECH_KEY'],
    }[name];
    for (const [index, one] of checks.entries()) {
      expect(one).toMatchObject({ ok: false, problem: 'refuses the key (status 401)' });
      expect(one.ok || one.remedy).toContain(`Check ${expected[index]}`);
    }
    expect(JSON.stringify(checks)).not.toMatch(/sk-12345|-key"/);
  });

  it.each(all)('tells a wrong model, voice or deployment of %s from a wrong key', async (name) => {
    behave(404);
    for (const one of await check(name, { timeoutMs: 20_000 })) {
      expect(one).toMatchObject({ ok: false, problem: expect.stringContaining('does not know') });
      expect(one.ok || one.remedy).toMatch(/model|voice|deployment/);
    }
  });

  it.each(all)('tells that the quota of %s is used up', async (name) => {
    behave(429);
    for (const one of await check(name, { timeoutMs: 20_000 })) {
      expect(one).toMatchObject({ ok: false, remedy: expect.stringContaining('quota') });
    }
  });

  it.each(all)('does not wait for %s without end', async (name) => {
    behave('hang');
    for (const one of await check(name, { timeoutMs: 700 })) {
      expect(one).toMatchObject({ ok: false, problem: 'does not answer in time' });
    }
  });

  it.each(all)('tells that nobody is at the address of %s', async (name) => {
    behave('answer');
    const gone = await startVendorStandIn();
    await gone.close();
    for (const one of await check(name, { timeoutMs: 20_000, server: gone.url })) {
      expect(one).toMatchObject({
        ok: false,
        problem: expect.stringMatching(/^cannot be reached/),
      });
    }
  });
});
