import { Queue } from 'bullmq';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newCallId } from '../call/call-id.ts';
import { OutboundQueue } from '../call/outbound-queue.ts';
import { OUTBOUND_QUEUE } from '../call/order.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { addQueueGauges } from './dispatcher-metrics.ts';
import { anOrder } from './fixtures/an-order.ts';

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

test('an order that waits in the queue counts as waiting, whatever its priority', async () => {
  const orders = new OutboundQueue(redis, () => undefined);
  const jobs = new Queue(OUTBOUND_QUEUE, { connection: redis });
  await orders.addAll([
    anOrder({ callId: newCallId() }),
    anOrder({ callId: newCallId(), priority: 1 }),
  ]);
  const registry = new Registry();
  addQueueGauges(registry, redis, jobs, []);
  expect(await registry.metrics()).toContain('trunkline_queue_calls{state="waiting"} 2');
  await orders.close();
  await jobs.close();
});
