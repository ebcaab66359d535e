import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { RedisServer } from '../../platform/testing/redis-server.ts';
import { newCallId } from '../call-id.ts';
import { EVENT_STREAM, EventPublisher } from '../event-stream.ts';
import type { LiveBody } from './live-event.ts';
import { LivePublisher } from './live-publisher.ts';
import { isAfter, isKept, lastLivePlace, LIVE_STREAM, readLive, trimLive } from './live-stream.ts';

const log = createLog('test', 'fatal');
const call = newCallId();
const words = (text: string): LiveBody => ({
  type: 'conversation_turn',
  at: new Date().toISOString(),
  call,
  role: 'caller',
  text,
  final: false,
});

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, log, 'patient');
});
beforeEach(async () => {
  await redis.flushall();
});
afterEach(() => server.thaw());
afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

it('orders places as numbers', () => {
  expect(isAfter('10-0', '9-5')).toBe(true);
  expect(isAfter('10-10', '10-9')).toBe(true);
  expect(isAfter('10-9', '10-9')).toBe(false);
});

it('knows what was kept since a place, whatever was removed, and how', async () => {
  expect(await isKept(redis, '0-0')).toBe(true);
  const add = async (id: string) => redis.xadd(LIVE_STREAM, id, 'call', '', 'body', '{}');
  for (const id of ['1-0', '2-0', '3-0', '4-0']) await add(id);
  for (const id of ['0-0', '1-0', '4-0']) expect(await isKept(redis, id), id).toBe(true);
  for (const id of ['2-1', '5-0']) expect(await isKept(redis, id), id).toBe(false);
  await redis.xdel(LIVE_STREAM, '2-0');
  const afterErasure = { '0-0': false, '1-0': false, '2-0': true, '3-0': true };
  for (const [id, kept] of Object.entries(afterErasure)) expect(await isKept(redis, id)).toBe(kept);
  await redis.xtrim(LIVE_STREAM, 'MAXLEN', 1);
  for (const [id, kept] of Object.entries({ '3-0': false, '4-0': true })) {
    expect(await isKept(redis, id)).toBe(kept);
  }
  await trimLive(redis, 0);
  expect(await redis.xlen(LIVE_STREAM)).toBe(0);
  expect(await lastLivePlace(redis)).toBe('4-0');
  for (const [id, kept] of Object.entries({ '3-0': false, '4-0': true })) {
    expect(await isKept(redis, id)).toBe(kept);
  }
});

it('gives entries after a place, in pages', async () => {
  const publisher = new LivePublisher(redis);
  for (const text of ['one', 'two', 'three']) publisher.send(words(text));
  const last = await vi.waitFor(async () => {
    expect(await redis.xlen(LIVE_STREAM)).toBe(3);
    return lastLivePlace(redis);
  });
  const [first, ...others] = await readLive(redis, '0-0', last, 10);
  expect(others).toHaveLength(2);
  expect(await readLive(redis, first?.id ?? '', last, 1)).toEqual([others[0]]);
});

it('drops what is of the moment while Redis does not answer, and holds nothing up', async () => {
  const publisher = new LivePublisher(redis);
  server.freeze();
  for (let n = 0; n < 10_000; n += 1) publisher.send(words(`${n}`));
  server.thaw();
  await redis.ping();
  expect(await redis.xlen(LIVE_STREAM)).toBe(50);
  publisher.send(words('again'));
  await redis.ping();
  expect(await redis.xlen(LIVE_STREAM)).toBe(51);
});

it('never costs the ledger an event', async () => {
  await redis.set(LIVE_STREAM, 'of another kind');
  const publisher = new EventPublisher(redis);
  await publisher.publish('call.ringing', call, {});
  await publisher.publish('call.usage', call, { usage: [] });
  expect(await redis.xlen(EVENT_STREAM)).toBe(2);
});
