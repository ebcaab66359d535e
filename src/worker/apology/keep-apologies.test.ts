import { initializeLogger } from '@livekit/agents';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { apologyInOwnVoice } from '../../call/apology/own-voice.ts';
import type { Personality } from '../../personality/personality.ts';
import {
  startVendorStandIn,
  type VendorStandIn,
} from '../../personality/providers/vendor-stand-in.ts';
import { tolerateRejections } from '../../personality/providers/tolerate-rejections.ts';
import { loadConfig, type Config } from '../../platform/config.ts';
import { PCMU } from '../../platform/g711.ts';
import { createLog } from '../../platform/log.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { Releases } from '../../platform/releases.ts';
import { RedisServer } from '../../platform/testing/redis-server.ts';
import { keepApologies, makeApologies } from './keep-apologies.ts';
import { speakApology } from './speak-apology.ts';

const log = createLog('test', 'fatal');
let server: RedisServer;
let redis: Redis;
let vendor: VendorStandIn;
let config: Config;

tolerateRejections();

beforeAll(async () => {
  initializeLogger({ pretty: false, level: 'silent' });
  server = await RedisServer.start();
  redis = connectRedis(server.url, log, 'patient');
  vendor = await startVendorStandIn();
  config = loadConfig({
    root: '/nonexistent',
    environment: {
      LIVEKIT_URL: 'ws://127.0.0.1:1',
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'a secret that is long enough for livekit',
      API_KEY: 'a key that is long enough',
      OPENAI_API_KEY: 'openai-key',
    },
  });
});

beforeEach(async () => {
  await redis.flushall();
  vendor.behave('answer');
  vendor.seen.length = 0;
});

afterAll(async () => {
  await vendor.close();
  redis.disconnect();
  await server.remove();
});

function voice(
  name: string,
  options: { language?: string; simulated?: boolean } = {},
): Personality {
  return {
    key: name,
    simulated: options.simulated ?? false,
    language: options.language ?? 'en-US',
    components: {
      tts: { provider: 'openai', base_url: `${vendor.url}/v1`, model: 'tts-x', voice: name },
    },
  } as unknown as Personality;
}

const list = (...personalities: Personality[]) => ({ list: () => personalities });
const speak = (personality: Personality) => speakApology(personality, config);

it('has each voice say the sentence of its language once, and keeps it as a telephone carries it', async () => {
  const [anna, otto] = [voice('anna'), voice('otto', { language: 'de-DE' })];
  const personalities = list(anna, otto, voice('nobody', { simulated: true }));
  const both = { redis, personalities, speak, log };
  await Promise.all([makeApologies(both), makeApologies(both)]);
  await makeApologies(both);
  expect(vendor.seen.map(({ body }) => [body['voice'], body['input']])).toEqual([
    ['anna', expect.stringMatching(/^I am sorry/)],
    ['otto', expect.stringMatching(/^Es tut mir leid/)],
  ]);
  // The stand-in gives 0.2 s of silence at 24 kHz.
  const sound = await apologyInOwnVoice(redis, otto);
  expect(sound?.length).toBeGreaterThan(1500);
  expect(sound?.length).toBeLessThan(1700);
  expect(PCMU.decode(sound ?? Buffer.alloc(0)).every((sample) => Math.abs(sample) < 20)).toBe(true);
  // Another voice under the same name is another sound.
  expect(await apologyInOwnVoice(redis, voice('otto'))).toBeUndefined();
});

it('goes on with the next voice where a vendor fails, and keeps nothing of the first', async () => {
  const failing = voice('anna');
  const other = voice('otto');
  const once = async (personality: Personality) => {
    vendor.behave(personality === failing ? 401 : 'answer');
    return speak(personality);
  };
  await makeApologies({ redis, personalities: list(failing, other), speak: once, log });
  expect(await apologyInOwnVoice(redis, failing)).toBeUndefined();
  expect(await apologyInOwnVoice(redis, other)).toBeDefined();
});

it('does not hold up a host that ends before it has begun', async () => {
  const releases = new Releases();
  keepApologies({ redis, personalities: list(voice('anna')), speak, log, releases });
  await releases.run();
  expect(vendor.seen).toEqual([]);
});
