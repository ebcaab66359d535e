import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadPersonality } from '../personality/load-personality.ts';
import { plainPersonality } from '../personality/personality-fixture.ts';
import type { Personality } from '../personality/personality.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { pinnedPersonality, pinPersonality } from './pinned-personality.ts';

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
});

afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

function personality(more: string): Personality {
  const hello = { key: 'hello', text: 'Rules.', parameters: {} };
  const loaded = loadPersonality('test', plainPersonality + more, 'agents/test.yaml', {
    prompts: new Map([['hello', hello]]),
    credentials: {},
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.personality;
}

test('a personality is found as it was, whatever its file says by now', async () => {
  const [before, after] = [personality('greeting: Hello.\n'), personality('greeting: Hi.\n')];
  await pinPersonality(redis, before);
  await pinPersonality(redis, after);
  expect(await pinnedPersonality(redis, before.hash)).toEqual(before);
  expect(await pinnedPersonality(redis, after.hash)).toEqual(after);
  expect(await pinnedPersonality(redis, 'unknown')).toBeUndefined();
});

test('it is written once, and stays for a day after the last call that began with it', async () => {
  const one = personality('greeting: Once.\n');
  await pinPersonality(redis, one);
  const key = `trunkline:personality:${one.hash}`;
  await redis.expire(key, 10);
  await redis.config('RESETSTAT');
  await pinPersonality(redis, one);
  expect(await redis.ttl(key)).toBeGreaterThan(80_000);
  expect(await redis.info('commandstats')).not.toMatch(/cmdstat_set:/);
});
