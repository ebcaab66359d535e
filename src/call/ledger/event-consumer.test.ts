import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Database, OpenDatabase } from '../../platform/database.ts';
import { openDatabase } from '../../platform/database.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { Releases } from '../../platform/releases.ts';
import { PostgresServer } from '../../platform/testing/postgres-server.ts';
import { RedisServer } from '../../platform/testing/redis-server.ts';
import { callEvent, type CallEvent } from '../call-event.ts';
import { newCallId, type CallId } from '../call-id.ts';
import { EVENT_STREAM, EventPublisher } from '../event-stream.ts';
import {
  EventConsumer,
  LEDGER_GROUP,
  REJECTED_STREAM,
  type ConsumerOptions,
} from './event-consumer.ts';
import { Ledger, LEDGER_MIGRATIONS } from './ledger.ts';
import { recordEvents } from './record-events.ts';
import { databaseMaker, silentLog, type DatabaseMaker } from './testing.ts';

function turn(call: CallId, text: string): CallEvent {
  return callEvent('turn', call, { role: 'caller', text, interrupted: false });
}

describe('the event consumer', () => {
  let releases: Releases;
  let server: RedisServer;
  let redis: Redis;
  let database: OpenDatabase;
  let ledger: Ledger;
  let maker: DatabaseMaker;

  beforeAll(async () => {
    maker = await databaseMaker('embedded');
    database = await maker.open();
    ledger = new Ledger(database.db, 'default');
  });
  afterAll(async () => maker.remove());
  beforeEach(async () => {
    releases = new Releases();
    server = await RedisServer.start();
    releases.add('redis', async () => server.remove());
    redis = connectRedis(server.url, silentLog, 'patient');
    releases.add('client', () => redis.disconnect());
  });
  afterEach(async () => releases.run());

  const start = (options: Partial<ConsumerOptions> = {}): EventConsumer => {
    const consumer = new EventConsumer({
      db: database.db,
      redis: connectRedis(server.url, silentLog, 'patient'),
      log: silentLog,
      ...options,
    });
    consumer.start();
    releases.add('consumer', async () => consumer.stop());
    return consumer;
  };
  const textsOf = async (call: CallId) =>
    (await ledger.find(call))?.turns.map(({ text }) => text) ?? [];
  const pending = async () => {
    const summary = (await redis.xpending(EVENT_STREAM, LEDGER_GROUP)) as [number];
    return summary[0];
  };

  it('reads what was published before it started, and acknowledges it', async () => {
    const call = newCallId();
    const publisher = new EventPublisher(redis);
    for (let index = 0; index < 450; index += 1) await publisher.send(turn(call, `line ${index}`));
    start();
    await vi.waitFor(async () => expect(await textsOf(call)).toHaveLength(450), 10_000);
    await vi.waitFor(async () => expect(await pending()).toBe(0));
  });

  it('puts aside what is no event, with the reason, and goes on', async () => {
    const call = newCallId();
    const publisher = new EventPublisher(redis);
    const rejected = vi.fn<() => void>();
    const bad = [
      'not json',
      '{}',
      'null',
      JSON.stringify({ ...turn(call, 'x'), type: 'call.exploded' }),
      JSON.stringify({ ...turn(call, 'x'), at: 1e300 }),
      JSON.stringify(turn(call, 'NUL \u0000')),
      JSON.stringify({ ...turn(call, 'x'), id: randomBytes(20_000).toString('hex') }),
      JSON.stringify(
        callEvent('call.ended', call, {
          outcome: 'failed',
          reason: 'x',
          hungUpBy: 'system',
          sipStatus: 2 ** 40,
        }),
      ),
    ];
    await publisher.send(turn(call, 'first'));
    for (const event of bad) await redis.xadd(EVENT_STREAM, '*', 'event', event);
    await redis.xadd(EVENT_STREAM, '*', 'other', 'field');
    await publisher.send(turn(call, 'last'));
    start({ onRejected: rejected });
    await vi.waitFor(async () => expect(await textsOf(call)).toEqual(['first', 'last']), 10_000);
    await vi.waitFor(() => expect(rejected).toHaveBeenCalledTimes(bad.length + 1));
    expect(await pending()).toBe(0);
    const aside = await redis.xrange(REJECTED_STREAM, '-', '+');
    expect(new Set(aside.map(([, fields]) => fields.at(-1)))).toEqual(new Set([...bad, 'field']));
    expect(aside).toHaveLength(bad.length + 1);
    for (const [, fields] of aside)
      expect(fields.slice(0, 3)).toEqual(['entry', expect.any(String), 'reason']);
  });

  it('takes over what a dead consumer had read, and writes nothing twice', async () => {
    const call = newCallId();
    const publisher = new EventPublisher(redis);
    const [written, unwritten] = [turn(call, 'written'), turn(call, 'unwritten')];
    await redis.xgroup('CREATE', EVENT_STREAM, LEDGER_GROUP, '0', 'MKSTREAM');
    await publisher.send(written);
    await publisher.send(unwritten);
    // The dead one had committed the first, and acknowledged neither.
    await redis.xreadgroup('GROUP', LEDGER_GROUP, 'dead', 'STREAMS', EVENT_STREAM, '>');
    await recordEvents(database.db, [written]);
    start({ claimIdleMs: 50, claimEveryMs: 50 });
    await vi.waitFor(
      async () => expect(await textsOf(call)).toEqual(['written', 'unwritten']),
      10_000,
    );
    await vi.waitFor(async () => expect(await pending()).toBe(0));
    expect((await ledger.find(call))?.call.turns).toBe(2);
  });

  it('writes every event once when Redis is killed again and again', async () => {
    const call = newCallId();
    // What was on its way to it when Redis died is claimed again.
    const consumer = start({ claimIdleMs: 200, claimEveryMs: 200 });
    const publisher = new EventPublisher(redis);
    const expected: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      for (let index = 0; index < 20; index += 1) {
        const text = `${round}-${index}`;
        expected.push(text);
        await publisher.send(turn(call, text));
      }
      await server.kill();
      await server.restart();
    }
    await vi.waitFor(
      async () => expect((await textsOf(call)).toSorted()).toEqual(expected.toSorted()),
      20_000,
    );
    await vi.waitFor(() => expect(consumer.problem).toBeUndefined());
  });

  it('starts anew where Redis has lost everything', async () => {
    const call = newCallId();
    start();
    const publisher = new EventPublisher(redis);
    await publisher.send(turn(call, 'before'));
    await vi.waitFor(async () => expect(await textsOf(call)).toEqual(['before']));
    await redis.flushall();
    await publisher.send(turn(call, 'after'));
    await vi.waitFor(async () => expect(await textsOf(call)).toEqual(['before', 'after']), 10_000);
  });

  it('waits for a database that is away, says so, and then catches up', async () => {
    const call = newCallId();
    let away = true;
    const db: Database = new Proxy(database.db, {
      get: (target, name, receiver) => {
        if (name === 'transaction' && away) throw new Error('connection lost');
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    const consumer = start({ db });
    await new EventPublisher(redis).send(turn(call, 'kept'));
    await vi.waitFor(() => expect(consumer.problem).toContain('database'), 10_000);
    expect(await pending()).toBe(1);
    away = false;
    await vi.waitFor(async () => expect(await textsOf(call)).toEqual(['kept']), 10_000);
    await vi.waitFor(() => expect(consumer.problem).toBeUndefined());
    expect(await pending()).toBe(0);
  });

  it('keeps an event, and says so, while what is written alongside it fails for its own reasons', async () => {
    const call = newCallId();
    let broken = true;
    const consumer = start({
      alongside: async () => {
        // As a defect in the code that writes deliveries throws it.
        if (broken) throw new TypeError('x is not a function');
      },
    });
    await new EventPublisher(redis).send(turn(call, 'kept'));
    await vi.waitFor(() => expect(consumer.problem).toBeDefined());
    expect(await textsOf(call)).toEqual([]);
    broken = false;
    await vi.waitFor(async () => expect(await textsOf(call)).toEqual(['kept']));
    await vi.waitFor(() => expect(consumer.problem).toBeUndefined());
    expect(await redis.xlen(REJECTED_STREAM)).toBe(0);
    expect(await pending()).toBe(0);
  });

  it('takes what was published until it was stopped', async () => {
    const call = newCallId();
    const consumer = start();
    const publisher = new EventPublisher(redis);
    for (let index = 0; index < 300; index += 1) await publisher.send(turn(call, `${index}`));
    await consumer.stop();
    expect(await textsOf(call)).toHaveLength(300);
  });

  it('stops while Redis is away', async () => {
    const consumer = start();
    await vi.waitFor(async () => expect(await redis.exists(EVENT_STREAM)).toBe(1));
    await server.kill();
    const before = performance.now();
    await consumer.stop();
    expect(performance.now() - before).toBeLessThan(8000);
  });
});

describe('the event consumer on Postgres', () => {
  it('writes every event once when Postgres is broken off, with two consumers at work', async () => {
    const releases = new Releases();
    try {
      const postgres = await PostgresServer.start();
      releases.add('postgres', async () => postgres.remove());
      const server = await RedisServer.start();
      releases.add('redis', async () => server.remove());
      const redis = connectRedis(server.url, silentLog, 'patient');
      releases.add('client', () => redis.disconnect());
      const database = await openDatabase({
        url: postgres.url,
        folder: '',
        migrations: LEDGER_MIGRATIONS,
        log: silentLog,
      });
      releases.add('database', async () => database.close());
      for (const name of ['one', 'two']) {
        const consumer = new EventConsumer({
          db: database.db,
          redis: connectRedis(server.url, silentLog, 'patient'),
          log: silentLog,
          claimIdleMs: 200,
          claimEveryMs: 100,
        });
        consumer.start();
        releases.add(name, async () => consumer.stop());
      }
      const publisher = new EventPublisher(redis);
      const calls = Array.from({ length: 10 }, () => newCallId());
      for (let round = 0; round < 3; round += 1) {
        for (let index = 0; index < 20; index += 1) {
          for (const call of calls) await publisher.send(turn(call, `${round}-${index}`));
        }
        await postgres.stop();
        await postgres.restart();
      }
      const ledger = new Ledger(database.db, 'default');
      for (const call of calls) {
        await vi.waitFor(async () => {
          const record = await ledger.find(call);
          expect(record?.turns).toHaveLength(60);
          expect(record?.call.turns).toBe(60);
        }, 30_000);
      }
    } finally {
      await releases.run();
    }
  });
});
