import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Ledger } from '../call/ledger/ledger.ts';
import { silentLog } from '../call/ledger/testing.ts';
import { openDatabase } from '../platform/database.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { Releases } from '../platform/releases.ts';
import { PostgresServer } from '../platform/testing/postgres-server.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { ApiProcess } from './fixtures/api-process.ts';

/** After how many answers of a round the api is killed: with the burst at its beginning, middle and end. */
const KILLED_AFTER = [1, 25, 55];
const KEYS_PER_ROUND = 60;

const compare = (a: string, b: string) => (a < b ? -1 : 1);

type Answer = { status: number; id: string | null; body: string };

describe.each(['embedded', 'postgres'] as const)('an api with its %s database', (kind) => {
  let releases: Releases;
  let redis: Redis;
  let databaseUrl: string | undefined;
  let api: ApiProcess;

  beforeEach(async () => {
    releases = new Releases();
    const server = await RedisServer.start();
    releases.add('redis', async () => server.remove());
    redis = connectRedis(server.url, silentLog, 'patient');
    releases.add('client', () => redis.disconnect());
    const postgres = kind === 'postgres' ? await PostgresServer.start() : undefined;
    releases.add('postgres', async () => postgres?.remove());
    databaseUrl = await postgres?.createDatabase(randomUUID());
    api = await ApiProcess.start({
      REDIS_URL: server.url,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    });
    releases.add('api', async () => api.remove());
  });
  afterEach(async () => releases.run());

  /** Undefined where the connection broke before there was an answer. */
  const post = async (url: string, key: string, body: unknown): Promise<Answer | undefined> => {
    try {
      const response = await fetch(`${api.url}${url}`, {
        method: 'POST',
        headers: {
          'x-api-key': api.key,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify(body),
      });
      const id = response.headers.get('x-call-id');
      return { status: response.status, id, body: await response.text() };
    } catch {
      return undefined;
    }
  };
  const place = async (key: string) =>
    post('/api/outbound-call', key, {
      to_number: '+12025550123',
      variables: { name: 'Ada' },
      metadata: { key },
    });
  const jobs = async () =>
    (await redis.keys('bull:outbound-calls:call_*'))
      .flatMap((key) => /:(call_\w+)$/.exec(key)?.[1] ?? [])
      .toSorted(compare);
  /** Every call on record, read when no api has the files of the database. */
  const recorded = async () => {
    await api.end('SIGTERM');
    const folder = path.join(api.dataDir, 'database');
    const database = await openDatabase({ url: databaseUrl, folder, log: silentLog });
    releases.add('database', async () => database.close());
    const ledger = new Ledger(database.db, 'default');
    return ledger.recordsOf(await ledger.list({ limit: 10_000, order: 'asc' }));
  };

  it('that is killed in bursts of orders has as many calls as keys once each is repeated', async () => {
    const answers = new Map<string, Answer>();
    const keys: string[] = [];
    for (const [round, limit] of KILLED_AFTER.entries()) {
      const burst = Array.from({ length: KEYS_PER_ROUND }, (_, index) => `key-${round}-${index}`);
      keys.push(...burst);
      let answered = 0;
      // Each key twice, so that requests with one key race, too.
      await Promise.all(
        [...burst, ...burst].map(async (key) => {
          const answer = await place(key);
          if (!answer) return;
          expect(answer.status).toBe(200);
          expect(answers.get(key) ?? answer).toEqual(answer);
          answers.set(key, answer);
          answered += 1;
          if (answered === limit) await api.end('SIGKILL');
        }),
      );
      await api.end('SIGKILL');
      await api.restart();
    }
    for (const key of keys) {
      const answer = await place(key);
      expect(answer?.status).toBe(200);
      // What was answered once is answered for ever.
      expect(answers.get(key) ?? answer).toEqual(answer);
      answers.set(key, answer!);
    }
    const ids = [...answers.values()].map(({ id }) => id ?? '').toSorted(compare);
    expect(new Set(ids).size).toBe(keys.length);
    await vi.waitFor(async () => expect(await jobs()).toEqual(ids), 20_000);
    const records = await recorded();
    expect(records.map(({ call }) => call.id)).toEqual(ids);
    expect(records.map(({ timeline }) => timeline.length)).toEqual(keys.map(() => 1));
    expect(new Set(records.map(({ call }) => call.metadata?.['key']))).toEqual(new Set(keys));
  });

  it('that is killed while it takes batches has each batch whole, once', async () => {
    const batches = ['a', 'b', 'c'].map((name) => ({
      key: `batch-${name}`,
      calls: Array.from({ length: 100 }, (_, index) => ({
        to_number: `+12025550${String(index).padStart(3, '0')}`,
        metadata: { item: `${name}-${index}` },
      })),
    }));
    const send = async ({ key, calls }: (typeof batches)[number]) =>
      post('/api/outbound-calls', key, { calls });
    const first = send(batches[0]!);
    const others = [send(batches[1]!), send(batches[2]!)];
    const early = await first;
    await api.end('SIGKILL');
    await Promise.all(others);
    await api.restart();
    const answers = await Promise.all(batches.map(send));
    if (early) expect(answers[0]).toEqual(early);
    const ids = answers.flatMap((answer) =>
      (JSON.parse(answer?.body ?? '') as { calls: { id: string }[] }).calls.map(({ id }) => id),
    );
    expect(new Set(ids).size).toBe(300);
    await vi.waitFor(async () => expect(await jobs()).toEqual(ids.toSorted(compare)), 20_000);
    const records = await recorded();
    expect(records.map(({ call }) => call.id)).toEqual(ids.toSorted(compare));
    expect(new Set(records.map(({ call }) => call.metadata?.['item'])).size).toBe(300);
  });
});
