import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { EventConsumer } from '../call/ledger/event-consumer.ts';
import { Ledger } from '../call/ledger/ledger.ts';
import { silentLog } from '../call/ledger/testing.ts';
import { OutboundQueue } from '../call/outbound-queue.ts';
import type { OpenDatabase } from '../platform/database.ts';
import type { Log } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { Releases } from '../platform/releases.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import type { Trunk } from '../trunk/trunk.ts';
import { ApiMetrics } from './api-metrics.ts';
import { buildApp } from './app.ts';
import { healthChecks } from './health/checks.ts';
import { OutboundDesk } from './outbound-desk.ts';
import { Reconciler } from './reconciler.ts';

export const API_KEY = 'test-key-of-the-api-0123456789';

const common = {
  transport: 'udp',
  mediaEncryption: 'disable',
  callsPerSecond: 1,
  concurrentCalls: 10,
  allowedAddresses: [],
} as const;

const trunks: Trunk[] = [
  {
    ...common,
    name: 'simulator',
    provider: 'simulator',
    address: '127.0.0.1:5070',
    numbers: [{ number: '+12025550110', personality: 'receptionist' }],
    allowedPrefixes: ['+1202555'],
  },
  {
    ...common,
    name: 'carrier',
    provider: 'generic',
    address: 'sip.example.com',
    numbers: [{ number: '+493012345678', personality: 'german_assistant' }],
    allowedPrefixes: ['+1', '+49'],
  },
];

const personalities = [
  { key: 'german_assistant', simulated: false },
  { key: 'receptionist', simulated: true },
];

/** The api on a Redis of its own, without a port. */
export type TestApi = {
  app: FastifyInstance;
  server: RedisServer;
  /** For the test itself. */
  redis: Redis;
  database: OpenDatabase;
  ledger: Ledger;
  queue: OutboundQueue;
  reconciler: Reconciler;
  close(): Promise<void>;
};

export async function startTestApi(
  open: () => Promise<OpenDatabase>,
  log: Log = silentLog,
): Promise<TestApi> {
  const releases = new Releases();
  const server = await RedisServer.start();
  releases.add('redis server', async () => server.remove());
  const database = await open();
  releases.add('database', async () => database.close());
  const ledger = new Ledger(database.db, 'default');
  const own = connectRedis(server.url, log, 'patient');
  releases.add('client of the test', () => own.disconnect());
  const redis = connectRedis(server.url, log, 'impatient');
  releases.add('redis', () => redis.disconnect());
  const queue = new OutboundQueue(redis, () => undefined);
  releases.add('queue', async () => queue.close());
  const metrics = new ApiMetrics(createMetrics('api'));
  metrics.watch({ ledger, queue, redis });
  const consumer = new EventConsumer({
    db: database.db,
    redis: connectRedis(server.url, log, 'patient'),
    log,
    onApplied: (applied) => metrics.applied(applied),
    onRejected: () => metrics.rejected(),
  });
  consumer.start();
  releases.add('consumer', async () => consumer.stop());
  const reconciler = new Reconciler({ ledger, queue, log });
  releases.add('reconciler', async () => reconciler.stop());
  const desk = new OutboundDesk({
    workspace: 'default',
    ledger,
    queue,
    redis,
    personalities: {
      get: (key) => personalities.find((one) => one.key === key),
      list: () => personalities,
    },
    missingVariables: (key, given) =>
      key === 'german_assistant' && given['name'] === '' ? ['name'] : [],
    defaultPersonality: 'receptionist',
    trunks,
    onLeftBehind: () => reconciler.soon(),
    log,
  });
  const checks = healthChecks({
    redis,
    database,
    consumer,
    rooms: { listRooms: async () => [] },
    sipHealthUrl: `http://127.0.0.1:${server.port}`,
    trunks,
    personalities: { list: () => personalities, problems: () => [] },
  });
  const app = await buildApp({ apiKey: API_KEY, log, desk, ledger, metrics, checks });
  releases.add('app', async () => app.close());
  await own.ping();
  // An impatient client refuses what comes before it is connected.
  if (redis.status !== 'ready') await once(redis, 'ready');
  return {
    app,
    server,
    redis: own,
    database,
    ledger,
    queue,
    reconciler,
    close: async () => releases.run(),
  };
}
