import { Writable } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventPublisher } from '../call/event-stream.ts';
import { isCallId, type CallId } from '../call/call-id.ts';
import { LEDGER_MIGRATIONS } from '../call/ledger/ledger.ts';
import { calls, type CallRequest } from '../call/ledger/schema.ts';
import { openDatabase } from '../platform/database.ts';
import type { Log } from '../platform/log.ts';
import { PostgresServer } from '../platform/testing/postgres-server.ts';
import { writeTrunkState } from '../trunk/trunk-state.ts';
import { API_KEY, startTestApi, type TestApi } from './testing.ts';

const TO = '+12025550147';

/** A log that keeps what is written, before anything is masked. */
function keepingLog(): { log: Log; written: () => string } {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  return { log: pino({ level: 'trace' }, stream), written: () => text };
}

describe('the API when parts of it are away', () => {
  let postgres: PostgresServer;
  let api: TestApi;
  let written: () => string;

  beforeAll(async () => {
    postgres = await PostgresServer.start();
  });
  afterAll(async () => postgres.remove());
  beforeEach(async () => {
    const url = await postgres.createDatabase(randomUUID());
    const kept = keepingLog();
    written = kept.written;
    api = await startTestApi(
      async () => openDatabase({ url, folder: '', migrations: LEDGER_MIGRATIONS, log: kept.log }),
      kept.log,
    );
  });
  afterEach(async () => {
    api.server.thaw();
    await api.close();
    await postgres.stop();
    await postgres.restart();
  });

  const place = async (headers: Record<string, string> = {}) =>
    api.app.inject({
      method: 'POST',
      url: '/api/outbound-call',
      headers: { 'x-api-key': API_KEY, ...headers },
      payload: { to_number: TO, llm_prompt: 'secret-words', variables: { name: 'secret-words' } },
    });
  const placed = async (): Promise<CallId> => {
    const id = String((await place()).headers['x-call-id']);
    if (!isCallId(id)) throw new Error('not placed');
    return id;
  };
  const jobs = async () => (await api.redis.keys('bull:outbound-calls:call_*')).length;
  const health = async () => {
    const response = await api.app.inject('/health');
    return {
      code: response.statusCode,
      ...response.json<{ status: string; services: Record<string, { status: string }> }>(),
    };
  };

  it('answers 503 while Redis is dead, leaves nothing behind, and works again afterwards', async () => {
    expect((await place()).statusCode).toBe(200);
    await api.server.kill();
    await vi.waitFor(async () => {
      const before = performance.now();
      const refused = await place();
      expect(performance.now() - before).toBeLessThan(2000);
      expect(refused.statusCode).toBe(503);
      expect(refused.headers['retry-after']).toBe('5');
      expect(refused.headers['content-type']).toContain('application/problem+json');
    });
    expect(await api.ledger.list({ limit: 10 })).toHaveLength(1);
    expect(await health()).toMatchObject({
      code: 503,
      status: 'unhealthy',
      services: { redis: { status: 'unhealthy' }, database: { status: 'healthy' } },
    });
    expect((await api.app.inject('/metrics')).statusCode).toBe(200);
    await api.server.restart();
    await vi.waitFor(async () => expect((await place()).statusCode).toBe(200), 10_000);
    await vi.waitFor(async () => expect(await jobs()).toBe(2), 10_000);
  });

  it('answers 503 soon while Redis takes connections and says nothing', async () => {
    expect((await place()).statusCode).toBe(200);
    api.server.freeze();
    const before = performance.now();
    expect((await place()).statusCode).toBe(503);
    const { code } = await health();
    expect(code).toBe(503);
    expect(performance.now() - before).toBeLessThan(20_000);
    api.server.thaw();
    await vi.waitFor(async () => expect((await place()).statusCode).toBe(200), 10_000);
    expect(await api.ledger.list({ limit: 10 })).toHaveLength(2);
  });

  it('answers a repeated request while Redis is away as it did before', async () => {
    const first = await place({ 'idempotency-key': 'k' });
    await api.server.kill();
    const second = await place({ 'idempotency-key': 'k' });
    expect([second.statusCode, second.body]).toEqual([200, first.body]);
  });

  it('loses no order whose queue goes away after the ledger has it, and enqueues it once', async () => {
    await placed();
    const add = vi.spyOn(api.queue, 'addAll').mockRejectedValueOnce(new Error('connection lost'));
    const response = await place();
    add.mockRestore();
    expect(response.statusCode).toBe(200);
    expect(await jobs()).toBe(1);
    expect(await api.reconciler.run()).toBe(1);
    expect(await api.reconciler.run()).toBe(0);
    expect(await jobs()).toBe(2);
  });

  it('enqueues the calls around one whose order cannot be read, and tells which that is', async () => {
    const ids = [await placed(), await placed(), await placed()];
    const spoiled = { callerName: ['spoiled-name'] } as unknown as CallRequest;
    await api.database.db.update(calls).set({ request: spoiled }).where(eq(calls.id, ids[1]!));
    await api.redis.flushall();
    expect(await api.reconciler.run()).toBe(2);
    expect(await api.redis.exists(`bull:outbound-calls:${ids[2]}`)).toBe(1);
    const line = written()
      .split('\n')
      .find((text) => text.includes('cannot be read'));
    expect(line).toContain(ids[1]);
    expect(line).not.toContain('spoiled-name');
  });

  it('enqueues every queued call again where Redis has lost everything, and no other', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, async () => placed()));
    const [dialled] = ids;
    const publisher = new EventPublisher(api.redis);
    await publisher.publish('call.dialing', dialled!, { trunk: 'simulator', attempt: 1 });
    await vi.waitFor(async () =>
      expect((await api.ledger.find(dialled!))?.call.status).toBe('dialing'),
    );
    await api.redis.flushall();
    const runs = await Promise.all([api.reconciler.run(), api.reconciler.run()]);
    expect(Math.max(...runs)).toBe(29);
    expect(await jobs()).toBe(29);
    expect(await api.redis.exists(`bull:outbound-calls:${dialled}`)).toBe(0);
    const again = await api.redis.hget(`bull:outbound-calls:${ids[1]}`, 'data');
    expect(JSON.parse(again ?? '')).toMatchObject({
      callId: ids[1],
      to: TO,
      prompt: 'secret-words',
    });
  });

  it('says nothing of a failed query to the caller or of its values to the log', async () => {
    await postgres.stop();
    const answer = await place();
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('5');
    expect(await api.redis.keys('bull:outbound-calls:call_*')).toEqual([]);
    expect(answer.body).not.toMatch(/select|insert|PGlite|closed/i);
    expect(await health()).toMatchObject({
      code: 503,
      services: { database: { status: 'unhealthy' } },
    });
  });

  it('writes no number, key, prompt or public id into the log', async () => {
    const id = await placed();
    const call = await api.ledger.find(id);
    await api.app.inject({
      url: `/api/calls/${call?.call.publicId}`,
      headers: { 'x-api-key': API_KEY },
    });
    await api.app.inject({ url: `/api/${TO}?number=${TO}`, headers: { 'x-api-key': API_KEY } });
    await api.app.inject({
      method: 'POST',
      url: '/api/outbound-call',
      headers: { 'x-api-key': API_KEY },
      payload: { to_number: `${TO}99999`, trunk: TO },
    });
    await api.server.kill();
    await place();
    await postgres.stop();
    await place({ 'idempotency-key': TO });
    expect(written()).toContain('answered');
    expect(written()).toContain('/api/calls/:id');
    expect(written()).not.toMatch(/2025550147|secret-words|test-key/);
  });

  it('counts only fresh heartbeats, and is healthy when every part is there', async () => {
    expect((await health()).services).toMatchObject({
      agents: { status: 'unhealthy' },
      dispatcher: { status: 'unhealthy' },
    });
    const beat = (at: number) => JSON.stringify({ calls: 1, capacity: 8, at });
    await api.redis.hset(
      'trunkline:workers',
      'old',
      beat(Date.now() - 11_000),
      'bad',
      '{',
      'odd',
      '[]',
    );
    expect((await health()).services.agents).toMatchObject({ status: 'unhealthy' });
    await api.redis.hset('trunkline:workers', 'one', beat(Date.now()), 'two', beat(Date.now()));
    await api.redis.hset('trunkline:dispatchers', 'one', beat(Date.now()));
    expect((await health()).services).toMatchObject({
      agents: { status: 'healthy', message: '2 registered, 2 of 16 calls' },
      dispatcher: { status: 'healthy' },
      trunks: { status: 'healthy' },
    });
    await writeTrunkState(api.redis, 'carrier', { state: 'down', since: 1, reason: 'no answer' });
    expect((await health()).services.trunks).toMatchObject({
      status: 'degraded',
      message: expect.stringContaining('carrier'),
    });
  });
});
