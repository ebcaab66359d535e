import type { FastifyInstance } from 'fastify';
import { vi } from 'vitest';
import type { Ledger } from '../call/ledger/ledger.ts';
import { silentLog } from '../call/ledger/testing.ts';
import type { OutboundQueue } from '../call/outbound-queue.ts';
import { loadConfig } from '../platform/config.ts';
import type { OpenDatabase } from '../platform/database.ts';
import type { Log } from '../platform/log.ts';
import type { Registry } from '../platform/metrics.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { Releases } from '../platform/releases.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import type { Trunk } from '../trunk/trunk.ts';
import type { Reconciler } from './reconciler.ts';
import { startApi, type Api, type ApiOptions } from './start-api.ts';

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
  live: Api['live'];
  ledger: Ledger;
  queue: OutboundQueue;
  reconciler: Reconciler;
  registry: Registry;
  /** Rooms that the api has ended, oldest first. */
  endedRooms: string[];
  close(): Promise<void>;
};

/** @param more.beside an api whose Redis and database this one shares, and which is closed after it */
export async function startTestApi(
  open: () => Promise<OpenDatabase>,
  log: Log = silentLog,
  environment: Record<string, string> = {},
  more: { beside?: Pick<TestApi, 'server' | 'database'> } & Pick<ApiOptions, 'liveLimits'> = {},
): Promise<TestApi> {
  const releases = new Releases();
  const server = more.beside?.server ?? (await RedisServer.start());
  if (!more.beside) releases.add('redis server', async () => server.remove());
  const database = more.beside?.database ?? (await open());
  if (!more.beside) releases.add('database', async () => database.close());
  const own = connectRedis(server.url, log, 'patient');
  releases.add('client of the test', () => own.disconnect());
  const config = loadConfig({
    // No `.env` there.
    root: import.meta.dirname,
    environment: {
      API_KEY,
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'secret-of-livekit-0123456789-0123456789',
      REDIS_URL: server.url,
      SIP_HEALTH_URL: `http://127.0.0.1:${server.port}`,
      ...environment,
    },
  });
  const endedRooms: string[] = [];
  const { app, live, ledger, queue, reconciler, registry } = await startApi({
    config,
    log,
    database,
    trunks,
    personalities: {
      get: (key) => personalities.find((one) => one.key === key),
      list: () => personalities,
      problems: () => [],
    },
    missingVariables: (key, given) =>
      key === 'german_assistant' && given['name'] === '' ? ['name'] : [],
    rooms: { listRooms: async () => [], deleteRoom: async (room) => void endedRooms.push(room) },
    liveLimits: more.liveLimits,
    releases,
  });
  await own.ping();
  // The api's impatient client refuses what comes before it is connected.
  await vi.waitFor(async () => queue.depth(), { timeout: 30_000 });
  return {
    app,
    server,
    redis: own,
    database,
    live,
    ledger,
    queue,
    reconciler,
    registry,
    endedRooms,
    close: async () => releases.run(),
  };
}
