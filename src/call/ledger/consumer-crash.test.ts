import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../platform/database.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { Releases } from '../../platform/releases.ts';
import { PostgresServer } from '../../platform/testing/postgres-server.ts';
import { RedisServer } from '../../platform/testing/redis-server.ts';
import { callEvent } from '../call-event.ts';
import { newCallId } from '../call-id.ts';
import { EVENT_STREAM, EventPublisher } from '../event-stream.ts';
import { LEDGER_GROUP } from './event-consumer.ts';
import { Ledger, LEDGER_MIGRATIONS } from './ledger.ts';
import { silentLog } from './testing.ts';

const PROCESS = path.join(import.meta.dirname, 'fixtures', 'consumer-process.ts');
const ROUNDS = 3;
const PER_ROUND = 40;

describe.each(['embedded', 'postgres'] as const)('a consumer of the %s database', (kind) => {
  let releases: Releases;
  let server: RedisServer;
  let redis: Redis;
  let place: { url: string | undefined; folder: string };

  beforeEach(async () => {
    releases = new Releases();
    server = await RedisServer.start();
    releases.add('redis', async () => server.remove());
    redis = connectRedis(server.url, silentLog, 'patient');
    releases.add('client', () => redis.disconnect());
    const postgres = kind === 'postgres' ? await PostgresServer.start() : undefined;
    releases.add('postgres', async () => postgres?.remove());
    const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-consumer-'));
    releases.add('folder', () => rmSync(folder, { recursive: true, force: true }));
    place = { url: await postgres?.createDatabase(randomUUID()), folder };
    const migrations = LEDGER_MIGRATIONS;
    await (await openDatabase({ ...place, migrations, log: silentLog })).close();
  });
  afterEach(async () => releases.run());

  const startProcess = (environment: Record<string, string> = {}) => {
    const child = spawn(process.execPath, [PROCESS], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        TEST_REDIS: server.url,
        TEST_FOLDER: place.folder,
        ...(place.url === undefined ? {} : { TEST_DATABASE: place.url }),
        ...environment,
      },
    });
    releases.add('consumer', () => void child.kill('SIGKILL'));
    return child;
  };
  const pending = async () => {
    const summary = (await redis.xpending(EVENT_STREAM, LEDGER_GROUP)) as [number];
    return summary[0];
  };

  it('that is killed between write and acknowledge leaves no event missing and none twice', async () => {
    const publisher = new EventPublisher(redis);
    const call = newCallId();
    const expected: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let index = 0; index < PER_ROUND; index += 1) {
        const text = `${round}-${index}`;
        expected.push(text);
        await publisher.send(callEvent('turn', call, { role: 'caller', text, interrupted: false }));
      }
      const child = startProcess({ TEST_HALT: 'after the commit' });
      await once(child.stdout, 'data');
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      expect(await pending()).toBeGreaterThan(0);
    }
    const last = startProcess();
    const group = async () => (await redis.xinfo('GROUPS', EVENT_STREAM)) as unknown[][];
    await vi.waitFor(async () => {
      expect(await pending()).toBe(0);
      // Everything has been delivered, too.
      expect((await group())[0]).toEqual(expect.arrayContaining(['lag', 0]));
    }, 20_000);
    const exited = once(last, 'exit');
    last.kill('SIGTERM');
    await exited;

    const database = await openDatabase({ ...place, log: silentLog });
    releases.add('database', async () => database.close());
    const record = await new Ledger(database.db, 'default').find(call);
    expect(record?.turns.map(({ text }) => text).toSorted()).toEqual(expected.toSorted());
    expect(record?.call.turns).toBe(expected.length);
  });
});
