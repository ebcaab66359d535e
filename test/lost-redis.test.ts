import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiProcess } from '../src/api/fixtures/api-process.ts';
import { LiveKitStandIn, sipError } from '../src/dispatcher/fixtures/livekit-stand-in.ts';
import { Releases } from '../src/platform/releases.ts';
import { RedisServer } from '../src/platform/testing/redis-server.ts';
import { DispatcherFixture } from './dispatcher-fixture.ts';
import { eventually } from './eventually.ts';

// A real Redis, api and dispatcher. LiveKit and its agents are stood in for, so that a hundred calls need no
// processor of their own; each order to dial that reaches LiveKit counts as an INVITE.
const releases = new Releases();
let server: RedisServer;
let api: ApiProcess;
let livekit: LiveKitStandIn;

beforeAll(async () => {
  server = await RedisServer.start();
  releases.add('redis', async () => server.remove());
  livekit = await LiveKitStandIn.start();
  releases.add('livekit', () => livekit.close());
  livekit.dialAnswer = sipError(486);
  api = await ApiProcess.start({ REDIS_URL: server.url });
  releases.add('api', async () => api.remove());
  const dispatcher = await DispatcherFixture.start({
    redisUrl: server.url,
    livekitUrl: livekit.url,
  });
  releases.add('dispatcher', async () => dispatcher.kill());
});
afterAll(async () => releases.run());

it('a Redis that has lost everything is told all queued calls again, and each of a hundred is dialled once', async () => {
  const at = new Date(Date.now() + 10_000).toISOString();
  const calls = Array.from({ length: 100 }, (_, index) => ({
    to_number: `+12025551${String(index + 100)}`,
    personality: 'appointment_reminder',
    schedule_at: at,
  }));
  const ids = await orderAll(calls);
  expect(ids).toHaveLength(100);
  const redis = new Redis(server.url);
  await redis.flushall();
  expect(livekit.invites).toEqual([]);

  await eventually(async () => ((await open()).length === 0 ? true : undefined));
  expect(livekit.invites.toSorted()).toEqual(ids.toSorted());
  // Whoever compares ledger and queue from now on finds nothing to do.
  await redis.flushall();
  await api.end('SIGTERM');
  await api.restart();
  const again = await orderAll(calls.slice(0, 1));
  await eventually(async () => ((await open()).length === 0 ? true : undefined));
  expect(livekit.invites.toSorted()).toEqual([...ids, ...again].toSorted());
  redis.disconnect();
});

async function request(url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${api.url}${url}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'x-api-key': api.key, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.status).toBe(200);
  return response.json();
}

async function orderAll(calls: unknown[]): Promise<string[]> {
  const answer = (await request('/api/outbound-calls', { calls })) as { calls: { id: string }[] };
  return answer.calls.map(({ id }) => id);
}

/** Calls that have not ended, as the ledger has them. */
async function open(): Promise<unknown[]> {
  const url = '/api/calls?status=queued,dialing,ringing,in_progress&limit=200';
  return ((await request(url)) as { calls: unknown[] }).calls;
}
