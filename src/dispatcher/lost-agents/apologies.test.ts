import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { keepApology } from '../../call/apology/own-voice.ts';
import { recordedApology } from '../../call/apology/recorded-apology.ts';
import { putBrief } from '../../call/call-brief.ts';
import { newCallId } from '../../call/call-id.ts';
import { memoryKey, type MemoryFacts } from '../../call/conversation-memory.ts';
import { pinPersonality } from '../../call/pinned-personality.ts';
import type { LiveCall } from '../../call/live-calls.ts';
import type { Personality } from '../../personality/personality.ts';
import { createLog } from '../../platform/log.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { RedisServer } from '../../platform/testing/redis-server.ts';
import { aTrunk } from '../../trunk/trunk-fixture.ts';
import { anOrder } from '../fixtures/an-order.ts';
import { apologyFor } from './apologies.ts';

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
});
beforeEach(async () => {
  await redis.flushall();
});
afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

const voice = (name: string, language: string) =>
  ({
    language,
    components: { tts: { provider: 'openai', voice: name } },
  }) as unknown as Personality;
const voices: Record<string, Personality> = {
  receptionist: voice('anna', 'de-AT'),
  fallback: voice('otto', 'en-GB'),
  somebody: voice('eva', 'pl-PL'),
};

async function apology(call: Partial<LiveCall>, number = '+12025550123') {
  const deps = {
    redis,
    log: createLog('test', 'fatal'),
    trunks: [aTrunk()],
    defaultPersonality: 'fallback',
    voice: (key: string) => voices[key],
  };
  const live: LiveCall = {
    id: 'call_1',
    room: 'r',
    trunk: 'office',
    direction: 'inbound',
    since: 0,
    ...call,
  };
  return apologyFor(deps, live, number);
}

it('speaks the language of who answered the number, from the recorded sentences', async () => {
  expect(await apology({})).toEqual({
    text: expect.stringMatching(/^Es tut mir leid/),
    sound: await recordedApology('de'),
  });
});

it('speaks with the voice itself where a worker has made it ahead', async () => {
  const own = Buffer.from('the own voice');
  await keepApology(redis, voices['receptionist']!, own);
  expect((await apology({})).sound).toEqual(own);
  expect((await apology({}, '+12025550199')).sound).toEqual(await recordedApology('en'));
});

it('speaks as the personality that was to call, and English where its language is not recorded', async () => {
  const order = anOrder({ personality: 'somebody' });
  await putBrief(redis, order);
  const outbound = { id: order.callId, direction: 'outbound' } as const;
  expect((await apology(outbound)).text).toMatch(/^I am sorry/);
  await keepApology(redis, voices['somebody']!, Buffer.from('eva'));
  expect((await apology(outbound)).sound).toEqual(Buffer.from('eva'));
});

it('speaks as it did when the call began, though its file has changed since', async () => {
  const call = newCallId();
  const before = { ...voice('before', 'de-DE'), hash: 'abc' };
  await pinPersonality(redis, before);
  const facts: MemoryFacts = {
    direction: 'inbound',
    trunk: 'office',
    phone: 'sip_caller',
    personality: 'receptionist',
    hash: 'abc',
    instructions: '',
    maxDurationMs: 60_000,
  };
  await redis.hset(memoryKey(call), 'facts', JSON.stringify(facts));
  await keepApology(redis, before, Buffer.from('as before'));
  expect((await apology({ id: call })).sound).toEqual(Buffer.from('as before'));
});
