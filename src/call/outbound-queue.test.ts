import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { newCallId } from './call-id.ts';
import { OUTBOUND_QUEUE, type CallOrder } from './order.ts';
import { OutboundQueue } from './outbound-queue.ts';

let server: RedisServer;
let redis: Redis;
let queue: OutboundQueue;
let jobs: Queue;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
  queue = new OutboundQueue(redis, () => undefined);
  jobs = new Queue(OUTBOUND_QUEUE, { connection: redis });
});
afterAll(async () => {
  await jobs.close();
  await queue.close();
  redis.disconnect();
  await server.remove();
});

function anOrder(changes: Partial<CallOrder>): CallOrder {
  return {
    callId: newCallId(),
    publicId: 'outbound-20260101-000000',
    workspace: 'default',
    to: '+12025550100',
    personality: 'somebody',
    variables: {},
    metadata: {},
    acceptedAt: Date.now(),
    ...changes,
  };
}

it('gives the most urgent order out first, and of equals the first; an order without a priority has 5', async () => {
  const orders = [5, 10, undefined, 1, 5].map((priority) => anOrder({ priority }));
  await queue.addAll(orders);
  const [first, last, second, urgent, third] = orders.map(({ callId }) => callId);
  const waiting = await jobs.getJobs(['prioritized'], 0, -1, true);
  expect(waiting.map(({ id }) => id)).toEqual([urgent, first, second, third, last]);
  expect(await queue.depth()).toEqual({ waiting: 5, scheduled: 0 });
});

it('keeps the priority of a scheduled order until its time has come', async () => {
  const notBefore = Date.now() + 3_600_000;
  const order = anOrder({ priority: 2, notBefore });
  await queue.addAll([order]);
  const job = await jobs.getJob(order.callId);
  expect([await job?.getState(), job?.priority]).toEqual(['delayed', 2]);
  await job?.promote();
  expect([await job?.getState(), job?.priority]).toEqual(['prioritized', 2]);
});

it('adds no call that it knows already, among many', async () => {
  const orders = Array.from({ length: 450 }, () => anOrder({}));
  await queue.addAll(orders.slice(0, 10));
  const before = await queue.depth();
  await queue.addAll(orders);
  expect((await queue.depth()).waiting).toBe(before.waiting + 440);
  expect(await queue.unknown(orders)).toEqual([]);
});
