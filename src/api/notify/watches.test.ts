import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callEvent } from '../../call/call-event.ts';
import { newCallId } from '../../call/call-id.ts';
import { EVENT_STREAM } from '../../call/event-stream.ts';
import { fleetKey, type Fleet } from '../../call/heartbeat.ts';
import { LEDGER_GROUP, REJECTED_STREAM } from '../../call/ledger/event-consumer.ts';
import { Ledger } from '../../call/ledger/ledger.ts';
import { recordEvents } from '../../call/ledger/record-events.ts';
import { databaseMaker, silentLog, type DatabaseMaker } from '../../call/ledger/testing.ts';
import type { OpenDatabase } from '../../platform/database.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { RedisServer } from '../../platform/testing/redis-server.ts';
import { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { aTrunk } from '../../trunk/trunk-fixture.ts';
import { writeTrunkState } from '../../trunk/trunk-state.ts';
import { healthy, unhealthy, type Checks } from '../health/check.ts';
import { watches, type WatchSources } from './watches.ts';

const MINUTE = 60_000;

describe.each(['embedded', 'postgres'] as const)('what is watched (%s)', (kind) => {
  let server: RedisServer;
  let redis: Redis;
  let maker: DatabaseMaker;
  let database: OpenDatabase;
  /** One for each test: opening a database takes long. */
  let workspace: string;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = connectRedis(server.url, silentLog, 'patient');
    maker = await databaseMaker(kind);
    database = await maker.open();
  });
  afterAll(async () => {
    redis.disconnect();
    await maker.remove();
    await server.remove();
  });
  beforeEach(async () => {
    await redis.flushall();
    workspace = randomUUID();
    for (const fleet of ['workers', 'dispatchers', 'trunk-monitors'] as const) await beat(fleet);
  });

  const beat = async (fleet: Fleet, calls = 0) =>
    redis.hset(fleetKey(fleet), 'one', JSON.stringify({ at: Date.now(), calls, capacity: 8 }));

  const look = async (changes: Partial<WatchSources> = {}, now = Date.now()) => {
    const all = watches({
      redis,
      rows: new WorkspaceRows(database.db, workspace),
      ledger: new Ledger(database.db, workspace),
      consumer: { problem: undefined },
      checks: {},
      trunks: [aTrunk({ name: 'office' })],
      dataDir: tmpdir(),
      ...changes,
    });
    const found = await Promise.all(
      // How full the disk of the test machine is, is its own affair.
      all
        .filter(({ name }) => name !== 'disk')
        .map(async (watch) => ({ watch, troubles: await watch.look(now) })),
    );
    for (const { watch, troubles } of found) {
      for (const { key } of troubles) expect(key.startsWith(`${watch.name}:`), key).toBe(true);
    }
    return found.flatMap(({ troubles }) => troubles);
  };
  const keys = async (changes: Partial<WatchSources> = {}, now = Date.now()) =>
    (await look(changes, now)).map(({ key }) => key);

  const order = async (acceptedAt: number) => {
    await new Ledger(database.db, workspace).accept({
      order: {
        workspace,
        to: '+12025550123',
        personality: 'receptionist',
        variables: {},
        metadata: {},
        acceptedAt,
      },
      simulated: true,
      expected: { trunk: 'simulator', from: undefined },
      message: 'The call is queued.',
      idempotency: undefined,
    });
  };

  it('finds nothing where all is well', async () => {
    expect(await keys()).toEqual([]);
  });

  it('finds processes that are missing, and that all places are taken', async () => {
    await redis.del(fleetKey('workers'), fleetKey('dispatchers'), fleetKey('trunk-monitors'));
    expect(await keys()).toEqual(['fleet:worker', 'fleet:dispatcher', 'fleet:trunk-monitor']);
    await beat('dispatchers');
    await beat('trunk-monitors');
    await beat('workers', 8);
    expect(await keys()).toEqual(['fleet:full']);
  });

  it('finds a trunk that is down, with what the monitor says of it', async () => {
    await writeTrunkState(redis, 'office', { state: 'down', since: 1, reason: 'no answer came' });
    await writeTrunkState(redis, 'gone', { state: 'down', since: 1, reason: 'no answer came' });
    const found = await look();
    expect(found).toMatchObject([
      { key: 'trunk:office', what: 'The trunk office is down: no answer came.' },
    ]);
    await writeTrunkState(redis, 'office', { state: 'unknown', since: 1, reason: '' });
    expect(await keys()).toEqual([]);
  });

  it('finds services that do not answer, and none that is only in trouble', async () => {
    const checks: Checks = {
      livekit: { run: async () => Promise.reject(new Error('no')) },
      sip: { run: () => unhealthy('no') },
      redis: { run: () => healthy('yes') },
      database: { run: async () => new Promise(() => undefined) },
    };
    expect(await keys({ checks })).toEqual(['service:livekit', 'service:sip', 'service:database']);
  });

  it('finds a queue that stands still, and one that is slow', async () => {
    const now = Date.now();
    await order(now - 4 * MINUTE);
    expect(await keys({}, now)).toEqual([]);
    await order(now - 10 * MINUTE);
    const [stalled] = await look({}, now);
    expect(stalled).toMatchObject({ key: 'queue:stalled' });
    expect(stalled?.what).toContain('2 calls wait, the oldest for 10 min');
    const dialing = callEvent('call.dialing', newCallId(), { trunk: 'office', attempt: 1 });
    await recordEvents(database.db, [{ ...dialing, workspace }]);
    expect(await keys({}, now)).toEqual([]);
    expect(await keys({}, now + 30 * MINUTE)).toEqual(['queue:slow']);
  });

  it('finds that many calls fail, and not that few do', async () => {
    const end = async (outcome: 'failed' | 'completed', count: number) => {
      const events = Array.from({ length: count }, () => ({
        ...callEvent('call.ended', newCallId(), { outcome, reason: 'x', hungUpBy: 'system' }),
        workspace,
      }));
      await recordEvents(database.db, events);
    };
    await end('failed', 4);
    expect(await keys()).toEqual([]);
    await end('failed', 2);
    expect(await keys()).toEqual(['calls:failed']);
    expect(await keys({}, Date.now() + 20 * MINUTE)).toEqual([]);
    await end('completed', 7);
    expect(await keys()).toEqual([]);
  });

  it('finds events that do not reach the ledger, or were put aside', async () => {
    await redis.xgroup('CREATE', EVENT_STREAM, LEDGER_GROUP, '0', 'MKSTREAM');
    await redis.xadd(EVENT_STREAM, '*', 'event', '{}');
    expect(await keys()).toEqual([]);
    const problem = 'The database does not take the events of calls.';
    const [lag] = await look({ consumer: { problem } });
    expect(lag?.what).toBe(`1 events of calls are not in the ledger yet. ${problem}`);
    await redis.xadd(REJECTED_STREAM, '*', 'reason', 'x');
    expect(await keys()).toEqual(['events:rejected']);
    expect(await keys({}, Date.now() + 61 * MINUTE)).toEqual([]);
  });

  it('names no number', async () => {
    await order(Date.now() - 10 * MINUTE);
    expect(JSON.stringify(await look())).not.toContain('2025550123');
  });
});

it('finds a disk that is full only where it is', async () => {
  const [disk] = watches({ dataDir: '/proc' } as unknown as WatchSources).filter(
    ({ name }) => name === 'disk',
  );
  // A file system without a byte.
  expect(await disk?.look(0)).toMatchObject([{ key: 'disk:full' }]);
});
