import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisGroup } from '../platform/testing/redis-group.ts';
import { newCallId, type CallId } from './call-id.ts';
import { readFence, releaseFence, type DialingFence } from './dial-fence.ts';
import { ReplicatedFences } from './replicated-fences.ts';

let group: RedisGroup;
let redis: Redis;
let fences: ReplicatedFences;

beforeAll(async () => {
  group = await RedisGroup.start();
  redis = connectRedis(group.url, createLog('test', 'fatal'), 'patient');
  fences = new ReplicatedFences(redis, 1);
});

afterAll(async () => {
  redis.disconnect();
  await group.remove();
});

function dialing(attempt: string): DialingFence {
  return { attempt, trunk: 'office', at: 1_790_000_000_000, ringMs: 45_000 };
}

async function attemptOf(call: CallId): Promise<string | undefined> {
  const fence = await readFence(redis, call);
  return fence?.state === 'dialing' ? fence.attempt : undefined;
}

test('without a replica that has it a fence is not safe, and can be given back', async () => {
  const replicas = await group.replicas();
  for (const replica of replicas) replica.freeze();
  const call = newCallId();
  try {
    expect(await fences.take(call, dialing('first'))).toBe('unsafe');
    await releaseFence(redis, call, 'first');
  } finally {
    for (const replica of replicas) replica.thaw();
  }
  expect(await fences.take(call, dialing('second'))).toBe('taken');
});

test('of many attempts one takes the fence, and may ask again', async () => {
  const call = newCallId();
  const names = Array.from({ length: 20 }, (_, index) => `attempt ${index}`);
  const answers = await Promise.all(names.map(async (name) => fences.take(call, dialing(name))));
  expect(answers.filter((answer) => answer === 'taken')).toHaveLength(1);
  expect(answers.filter((answer) => answer === 'refused')).toHaveLength(19);
  const winner = names[answers.indexOf('taken')] ?? '';
  expect(await fences.take(call, dialing(winner))).toBe('taken');
});

test('a master that is killed takes no fence with it, however fast fences are taken meanwhile', async () => {
  const old = await group.master();
  const answers = new Map<CallId, string>();
  let killed: Promise<void> | undefined;
  const over = new AbortController();
  const taking = Array.from({ length: 8 }, async () => {
    while (!over.signal.aborted) {
      const call = newCallId();
      answers.set(call, await fences.take(call, dialing(call)));
      if (answers.size === 200) killed ??= old.kill();
    }
  });
  const now = await group.failedOver(old);
  const after = newCallId();
  // A new master has no replica for a moment.
  while ((await fences.take(after, dialing('after'))) !== 'taken');
  over.abort();
  await Promise.all(taking);
  await killed;
  expect(now).not.toBe(old);
  const taken = [...answers].filter(([, answer]) => answer === 'taken').map(([call]) => call);
  expect(taken.length).toBeGreaterThan(150);
  const lost: CallId[] = [];
  for (const call of taken) if ((await attemptOf(call)) !== call) lost.push(call);
  expect(lost).toEqual([]);
});

test('a master that stands still is left for the one that takes its place, with a Sentinel dead, too', async () => {
  await group.killSentinel(0);
  const old = await group.master();
  const call = newCallId();
  expect(await fences.take(call, dialing('first'))).not.toBe('refused');
  old.freeze();
  try {
    await group.failedOver(old);
    expect(await fences.take(call, dialing('second'))).toBe('refused');
    expect(await attemptOf(call)).toBe('first');
  } finally {
    old.thaw();
  }
});
