import { initializeLogger, llm, type stt } from '@livekit/agents';
import { AudioFrame } from '@livekit/rtc-node';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadPersonality } from '../load-personality.ts';
import { testConfig } from '../personality-fixture.ts';
import { KeptConnections } from './kept-connections.ts';
import { createSpeechComponents, createVad } from './create-speech-components.ts';
import { startVendorStandIn, type VendorStandIn } from './vendor-stand-in.ts';

beforeAll(() => initializeLogger({ pretty: false, level: 'silent' }));

let vendor: VendorStandIn;
beforeEach(async () => {
  vendor = await startVendorStandIn();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await vendor.close();
});

const keys = {
  OPENAI_API_KEY: 'openai-key',
  DEEPGRAM_API_KEY: 'deepgram-key',
  AZURE_OPENAI_API_KEY: 'azure-key',
  AZURE_OPENAI_DEPLOYMENT_NAME: 'my-deployment',
};

type Parts = { stt?: string; llm?: string; tts?: string; vad?: string; language?: string };

function load(parts: Parts, environment: Record<string, string> = {}) {
  const config = testConfig({ ...keys, AZURE_OPENAI_ENDPOINT: `${vendor.url}/`, ...environment });
  const { stt, llm, tts, vad, language } = parts;
  const simulator = '{ provider: simulator }';
  const source = `name: Test
language: ${language ?? 'en-US'}
components:
  stt: ${stt ?? simulator}
  llm: ${llm ?? simulator}
  tts: ${tts ?? simulator}
  vad: ${vad ?? '{ provider: bundled }'}
`;
  const prompt = { key: 'x', text: 'x', parameters: {} };
  const loaded = loadPersonality('test', source, 'agents/test.yaml', {
    prompts: new Map([
      ['default_inbound', prompt],
      ['default_outbound', prompt],
    ]),
    credentials: config.credentials,
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return { personality: loaded.personality, config };
}

async function create(
  parts: Parts,
  environment?: Record<string, string>,
  connections?: KeptConnections,
) {
  const { personality, config } = load(parts, environment);
  return createSpeechComponents(personality, {
    config,
    ...(connections ? { connections } : {}),
  });
}

async function think(brain: llm.LLM): Promise<string> {
  const chatCtx = llm.ChatContext.empty();
  chatCtx.addMessage({ role: 'user', content: 'Well?' });
  let text = '';
  for await (const part of brain.chat({ chatCtx })) text += part.delta?.content ?? '';
  return text;
}

async function hear(ears: stt.STT): Promise<void> {
  const stream = ears.stream();
  stream.pushFrame(new AudioFrame(new Int16Array(1600), 16_000, 1, 1600));
  await vi.waitFor(() => expect(vendor.seen).not.toHaveLength(0));
  stream.close();
}

describe('createSpeechComponents', () => {
  it("sends Deepgram's options, key and the personality's language over the wire", async () => {
    const { stt } = await create({
      language: 'en-GB',
      stt: `{ provider: deepgram, base_url: "${vendor.url.replace('http', 'ws')}", smart_format: false,
        keyterm: [Trunkline, Dental], endpointing: 300, numerals: true, redact: [pci] }`,
    });
    await hear(stt);
    const [request] = vendor.seen;
    expect(request?.path).toBe('/v1/listen');
    expect(request?.headers.authorization).toBe('Token deepgram-key');
    expect(request?.query.getAll('keyterm')).toEqual(['Trunkline', 'Dental']);
    expect(Object.fromEntries(request?.query ?? [])).toMatchObject({
      language: 'en-GB',
      model: 'nova-3',
      smart_format: 'false',
      endpointing: '300',
      numerals: 'true',
      redact: 'pci',
    });
  });

  it("sends the speech options of Deepgram's voice over the wire", async () => {
    const { tts } = await create({
      tts: `{ provider: deepgram, base_url: "${vendor.url}", model: aura-2-julius-de, speed: 1.2,
        sample_rate: 16000, mip_opt_out: true }`,
    });
    const stream = tts.stream();
    stream.pushText('Hello there, this is a test.');
    stream.endInput();
    await stream.next();
    stream.close();
    expect(tts.sampleRate).toBe(16_000);
    expect(vendor.seen[0]?.headers.authorization).toBe('Token deepgram-key');
    expect(Object.fromEntries(vendor.seen[0]?.query ?? [])).toMatchObject({
      model: 'aura-2-julius-de',
      speed: '1.2',
      sample_rate: '16000',
      mip_opt_out: 'true',
    });
  });

  it("sends the options of OpenAI's models over the wire, to the address that is set", async () => {
    const { llm, tts } = await create(
      {
        llm: '{ provider: openai, model: gpt-x, temperature: 0.3, top_p: 0.9, max_completion_tokens: 80, parallel_tool_calls: false }',
        tts: '{ provider: openai, model: tts-x, voice: own-voice, speed: 1.1, instructions: calmly }',
      },
      { OPENAI_BASE_URL: `${vendor.url}/v1` },
    );
    expect(await think(llm)).toBe('Yes.');
    expect(vendor.seen[0]?.path).toBe('/v1/chat/completions');
    expect(vendor.seen[0]?.headers.authorization).toBe('Bearer openai-key');
    expect(vendor.seen[0]?.body).toMatchObject({
      model: 'gpt-x',
      temperature: 0.3,
      top_p: 0.9,
      max_completion_tokens: 80,
    });
    await tts.synthesize('Hello.').collect();
    expect(vendor.seen[1]?.path).toBe('/v1/audio/speech');
    expect(vendor.seen[1]?.body).toMatchObject({
      model: 'tts-x',
      voice: 'own-voice',
      speed: 1.1,
      instructions: 'calmly',
      response_format: 'pcm',
    });
  });

  it('thinks and speaks through connections that are kept from call to call', async () => {
    const connections = new KeptConnections();
    const openai = '{ provider: openai }';
    const base = { OPENAI_BASE_URL: `${vendor.url}/v1` };
    const { llm, tts } = await create({ llm: openai, tts: openai }, base, connections);
    expect(await think(llm)).toBe('Yes.');
    const { samplesPerChannel } = await tts.synthesize('Hello.').collect();
    expect(samplesPerChannel).toBeGreaterThan(0);
    expect(vendor.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer openai-key',
      'Bearer openai-key',
    ]);
    await connections.close();
  });

  it('prefers the address and the key that the personality names', async () => {
    const { llm } = await create(
      { llm: `{ provider: openai, base_url: "${vendor.url}/own", api_key_variable: SECRET_OWN }` },
      { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1', SECRET_OWN: 'own-key' },
    );
    await think(llm);
    expect(vendor.seen[0]?.path).toBe('/own/chat/completions');
    expect(vendor.seen[0]?.headers.authorization).toBe('Bearer own-key');
  });

  it('recognises through files, not through a WebSocket, at a compatible server', async () => {
    const { stt } = await create({
      stt: `{ provider: openai, base_url: "${vendor.url}/v1", model: whisper }`,
    });
    expect(stt.capabilities.streaming).toBe(false);
    const heard = await stt.recognize(new AudioFrame(new Int16Array(1600), 16_000, 1, 1600));
    expect(heard.alternatives?.[0].text).toBe('yes');
    expect(vendor.seen[0]?.path).toBe('/v1/audio/transcriptions');
  });

  it("calls Azure's deployment, whatever OPENAI_BASE_URL says", async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9/v1');
    const { llm } = await create({
      llm: '{ provider: azure_openai, temperature: 0.2, api_version: 2025-01-01-preview }',
    });
    expect(await think(llm)).toBe('Yes.');
    expect(vendor.seen[0]?.path).toBe('/openai/deployments/my-deployment/chat/completions');
    expect(vendor.seen[0]?.query.get('api-version')).toBe('2025-01-01-preview');
    expect(vendor.seen[0]?.headers['api-key']).toBe('azure-key');
    expect(vendor.seen[0]?.body).toMatchObject({ temperature: 0.2 });
  });

  it('speaks to the simulator, with a voice of the language', async () => {
    const environment = { SIMULATOR_URL: vendor.url };
    const { stt, llm, tts } = await create({ language: 'de-DE' }, environment);
    await hear(stt);
    expect(vendor.seen[0]?.path).toBe('/v1/listen/v1/listen');
    expect(vendor.seen[0]?.query.get('language')).toBe('de-DE');
    await think(llm);
    await tts.synthesize('Hallo.').collect();
    expect(vendor.seen.slice(1).map(({ path }) => path)).toEqual([
      '/v1/chat/completions',
      '/v1/audio/speech',
    ]);
    expect(vendor.seen[2]?.body).toMatchObject({ voice: 'sim-agent-de' });
    const english = await create({}, environment);
    await english.tts.synthesize('Hello.').collect();
    expect(vendor.seen[3]?.body).toMatchObject({ voice: 'sim-agent-en' });
  });
});

describe('createVad', () => {
  it('makes either detector with the settings of the personality', async () => {
    for (const provider of ['silero', 'bundled']) {
      const vad = await createVad(
        load({ vad: `{ provider: ${provider}, min_silence_duration: 320ms }` }).personality,
      );
      expect(vad.label).toBe(provider === 'silero' ? 'silero.VAD' : 'inference.VAD');
      expect(vad.minSilenceDuration).toBe(320);
    }
  });
});
