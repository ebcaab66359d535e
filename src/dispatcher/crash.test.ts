import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { newCallId, type CallId } from '../call/call-id.ts';
import { readFence } from '../call/dial-fence.ts';
import { listLiveCalls } from '../call/live-calls.ts';
import { OUTBOUND_QUEUE, type CallOrder } from '../call/order.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { freePort } from '../platform/testing/free-port.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { anOrder } from './fixtures/an-order.ts';
import { endsOf } from './fixtures/events-of.ts';
import { LiveKitStandIn } from './fixtures/livekit-stand-in.ts';

const PROCESS = path.join(import.meta.dirname, 'fixtures', 'dispatcher-process.ts');
const RING_SECONDS = 6;

/** A killed dispatcher's calls are found again within 15 s; then the watch may last the ring time-out. */
const RECOVERY = { timeout: 40_000, interval: 50 };
const SOON = { timeout: 15_000, interval: 20 };

let server: RedisServer;
let redis: Redis;
let queue: Queue;
let livekit: LiveKitStandIn;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
  queue = new Queue(OUTBOUND_QUEUE, { connection: redis });
});

beforeEach(async () => {
  livekit = await LiveKitStandIn.start();
});

afterEach(async () => {
  for (const child of children) await kill(child);
  livekit.close();
  await redis.flushall();
});

afterAll(async () => {
  await queue.close();
  redis.disconnect();
  await server.remove();
});

test('at whatever step a dispatcher is killed, each of its calls is dialled at most once and comes to its end', async () => {
  const first = await startDispatcher();
  const ringing = [await enqueue(), await enqueue(), await enqueue()].map(({ callId }) => callId);
  const [answered, refused, unanswered] = ringing as [CallId, CallId, CallId];
  await vi.waitFor(() => expect(livekit.invites.toSorted()).toEqual(ringing.toSorted()), SOON);
  livekit.stuck.add('CreateDispatch');
  const beforeFence = (await enqueue()).callId;
  await vi.waitFor(() => {
    expect(livekit.received.filter((method) => method === 'CreateDispatch')).toHaveLength(4);
  }, SOON);
  // The step between fence and INVITE is the publication of call.dialing: a wrong type makes it fail.
  await redis.set('trunkline:events', 'not a stream');
  livekit.stuck.delete('CreateDispatch');
  const afterFence = (await enqueue()).callId;
  await vi.waitFor(async () => expect(await readFence(redis, afterFence)).toBeDefined(), SOON);
  await kill(first);
  await redis.del('trunkline:events');
  livekit.pickUp(answered);
  livekit.refuse(refused, 486);

  await startDispatcher();
  await vi.waitFor(() => expect(livekit.invites).toContain(beforeFence), RECOVERY);
  livekit.refuse(beforeFence, 486);
  const all = [...ringing, beforeFence, afterFence];
  await vi.waitFor(async () => {
    for (const id of all) expect(await queue.getJobState(id)).toBe('completed');
  }, RECOVERY);

  expect(livekit.invites.toSorted()).toEqual([...ringing, beforeFence].toSorted());
  expect(await endsOf(redis, answered)).toEqual([]);
  expect((await listLiveCalls(redis)).map(({ id }) => id)).toEqual([answered]);
  expect(await endsOf(redis, refused)).toEqual([expect.stringMatching(/^failed: /)]);
  expect(await endsOf(redis, unanswered)).toEqual([
    expect.stringMatching(/^failed: .*interrupted/),
  ]);
  // The phone of the one that still rang is not left ringing.
  expect(livekit.deleted).toContain(unanswered);
  expect(await endsOf(redis, beforeFence)).toEqual(['busy: The line was busy.']);
  expect(await endsOf(redis, afterFence)).toEqual([
    expect.stringMatching(/^failed: .*It was not dialled again/),
  ]);
});

test('calls are dialled once however often dispatchers are killed', async () => {
  livekit.dialAnswer = { status: 200, body: { sipCallId: 'SCL_1' } };
  let dispatcher = await startDispatcher();
  const orders = await Promise.all(Array.from({ length: 20 }, () => enqueue()));
  for (const pauseMs of [150, 40, 320, 90, 210]) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await kill(dispatcher);
    dispatcher = await startDispatcher();
  }
  await vi.waitFor(async () => {
    for (const { callId } of orders) expect(await queue.getJobState(callId)).toBe('completed');
  }, RECOVERY);
  expect(livekit.invites.length).toBe(new Set(livekit.invites).size);
  for (const { callId } of orders) {
    expect((await endsOf(redis, callId)).length).toBeLessThanOrEqual(1);
  }
});

test('a dispatcher that is told to stop lets a ringing call finish and hands the others over', async () => {
  const first = await startDispatcher();
  const ringing = await enqueue();
  await vi.waitFor(() => expect(livekit.invites).toHaveLength(1), SOON);
  livekit.agentsFree = false;
  const other = await enqueue();
  await vi.waitFor(() => expect(livekit.rooms.get(other.callId)?.dispatches).toBe(1), SOON);
  first.kill('SIGTERM');
  const exited = once(first, 'exit');
  livekit.refuse(ringing.callId, 486);
  expect(await exited).toEqual([0, null]);
  expect(await endsOf(redis, ringing.callId)).toEqual(['busy: The line was busy.']);
  livekit.freeAgents();
  await startDispatcher();
  await vi.waitFor(() => expect(livekit.invites.at(-1)).toBe(other.callId), SOON);
});

test('a dispatcher goes when it is told to, though Redis is away, and tells its figures until then', async () => {
  const away = await RedisServer.start();
  const port = await freePort();
  const child = await startDispatcher(away.url, port);
  await away.remove();
  const metrics = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(metrics.status).toBe(200);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

async function enqueue(): Promise<CallOrder> {
  const order = anOrder({ callId: newCallId() });
  await queue.add('dial', order, { jobId: order.callId });
  return order;
}

/** Resolves when the dispatcher says that it is ready. */
async function startDispatcher(redisUrl = server.url, fixedPort?: number): Promise<ChildProcess> {
  const port = fixedPort ?? (await freePort());
  const child = spawn(process.execPath, [PROCESS], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      LIVEKIT_URL: livekit.url,
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'a secret that is long enough for livekit',
      API_KEY: 'a key that is long enough',
      REDIS_URL: redisUrl,
      DISPATCHER_PORT: String(port),
      RING_TIMEOUT_SECONDS: String(RING_SECONDS),
      TEST_TRUNK: JSON.stringify({
        provider: 'simulator',
        callsPerSecond: 50,
        concurrentCalls: 50,
      }),
    },
  });
  children.add(child);
  await vi.waitFor(async () => {
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    expect(health.status).toBe(200);
  }, SOON);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
