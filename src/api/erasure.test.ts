import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { putBrief } from '../call/call-brief.ts';
import { callEvent, type CallEvent } from '../call/call-event.ts';
import { newCallId, type CallId } from '../call/call-id.ts';
import { readFence, sealEnd } from '../call/dial-fence.ts';
import { EventPublisher } from '../call/event-stream.ts';
import { REJECTED_STREAM } from '../call/ledger/event-consumer.ts';
import { databaseMaker, type DatabaseMaker } from '../call/ledger/testing.ts';
import { MemoryWriter } from '../call/memory-writer.ts';
import { recordingFile } from '../call/recording/recording-file.ts';
import type { Database } from '../platform/database.ts';
import { createLog } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import { writeDeliveries } from '../webhook/outbox.ts';
import { WorkspaceRows } from '../platform/workspace-rows.ts';
import { API_KEY, startTestApi, type TestApi } from './testing.ts';

const ADA = '+12025550177';
const WORDS = 'Lovelace';

async function leaveMemory(redis: Redis, call: CallId): Promise<void> {
  const memory = new MemoryWriter({
    redis,
    call,
    log: createLog('test', 'error'),
    facts: {
      direction: 'outbound',
      trunk: 'simulator',
      phone: 'phone',
      personality: 'receptionist',
      hash: 'x',
      instructions: WORDS,
      maxDurationMs: 1000,
    },
  });
  memory.event(callEvent('turn', call, { role: 'caller', text: WORDS, interrupted: false }));
  memory.hears(WORDS);
  await memory.settled();
}

/** Every row of every table, as text. */
async function everyRow(db: Database): Promise<string> {
  const tables = await db.execute(
    sql`select table_name as name from information_schema.tables where table_schema = 'public'`,
  );
  let text = '';
  for (const { name } of (tables as { rows: { name: string }[] }).rows) {
    const found = await db.execute(
      sql`select row_to_json(t)::text as row from ${sql.identifier(name)} t`,
    );
    text += JSON.stringify((found as { rows: unknown[] }).rows);
  }
  return text;
}

/** Every value of every key, as text. */
async function everyValue(redis: Redis): Promise<string> {
  let text = '';
  for (const key of await redis.keys('*')) {
    switch (await redis.type(key)) {
      case 'string':
        text += await redis.get(key);
        break;
      case 'hash':
        text += JSON.stringify(await redis.hgetall(key));
        break;
      case 'list':
        text += JSON.stringify(await redis.lrange(key, 0, -1));
        break;
      case 'set':
        text += JSON.stringify(await redis.smembers(key));
        break;
      case 'zset':
        text += JSON.stringify(await redis.zrange(key, '0', '-1'));
        break;
      case 'stream':
        text += JSON.stringify(await redis.xrange(key, '-', '+'));
        break;
    }
    text += key;
  }
  return text;
}

describe.each(['embedded', 'postgres'] as const)('erasing a call over the api on %s', (kind) => {
  let api: TestApi;
  let maker: DatabaseMaker;
  let folder: string;
  let publisher: EventPublisher;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'trunkline-erasure-'));
    maker = await databaseMaker(kind);
    api = await startTestApi(async () => maker.open(), undefined, {
      DATA_DIR: folder,
      CONVERSATIONS_DIR: path.join(folder, 'conversations'),
      CONVERSATIONS_FORMAT: 'both',
    });
    publisher = new EventPublisher(api.redis);
  });
  afterAll(async () => {
    await api.close();
    await maker.remove();
    rmSync(folder, { recursive: true });
  });

  const send = async (options: InjectOptions): Promise<Response> =>
    api.app.inject({ ...options, headers: { 'x-api-key': API_KEY, ...options.headers } });
  const erase = async (id: string) => send({ method: 'DELETE', url: `/api/calls/${id}` });
  const place = async (key: string) =>
    send({
      method: 'POST',
      url: '/api/outbound-call',
      headers: { 'idempotency-key': key },
      payload: {
        to_number: ADA,
        caller_name: WORDS,
        llm_prompt: WORDS,
        greeting: WORDS,
        variables: { name: WORDS },
        metadata: { crm: { name: WORDS } },
      },
    });
  const ended = async (id: string) => {
    const { status, turns } = (await send({ url: `/api/calls/${id}` })).json<{
      status: string;
      turns: unknown[];
    }>();
    expect({ status, turns }).toMatchObject({ status: 'ended', turns: { length: 1 } });
  };
  const conversations = () => {
    const there = path.join(folder, 'conversations');
    return existsSync(there) ? readdirSync(there) : [];
  };
  const endOf = (id: CallId) =>
    callEvent('call.ended', id, {
      outcome: 'completed',
      reason: 'The callee hung up.',
      hungUpBy: 'callee',
    });

  it('leaves nothing of the person, wherever the call left something', async () => {
    const placed = await place(`erase-${kind}`);
    expect(placed.statusCode, placed.body).toBe(200);
    const id = String(placed.headers['x-call-id']) as CallId;
    const order = await send({ url: `/api/calls/${id}` });
    expect(order.json()).toMatchObject({ to: ADA, request: { caller_name: WORDS } });

    expect((await erase(id)).statusCode).toBe(409);
    expect((await erase(id)).json()).toMatchObject({
      type: 'urn:trunkline:problem:not-ended',
      detail: expect.stringContaining('hang up'),
    });

    // What a dispatcher and a worker leave.
    await putBrief(api.redis, {
      callId: id,
      publicId: 'x',
      workspace: 'default',
      to: ADA,
      personality: 'receptionist',
      variables: { name: WORDS },
      metadata: {},
      acceptedAt: Date.now(),
    });
    await sealEnd(api.redis, endOf(id), 'anybody');
    // An agent that died left it, and nobody ended the call for it.
    await leaveMemory(api.redis, id);
    await writeDeliveries(new WorkspaceRows(api.database.db, 'default'), [
      {
        id: 'evt_told',
        type: 'turn',
        call: id,
        payload: { text: WORDS, to: ADA },
        // Never reached: a private network, and nobody there.
        callbackUrl: `http://127.0.0.1:9/?who=${WORDS}`,
      },
    ]);
    const others = newCallId();
    const events: CallEvent[] = [
      callEvent('call.dialing', id, { trunk: 'simulator', from: ADA, attempt: 1 }),
      callEvent('turn', others, { role: 'caller', text: 'another', interrupted: false }),
      callEvent('turn', id, { role: 'caller', text: WORDS, interrupted: false }),
      endOf(id),
    ];
    for (const event of events) await publisher.send(event);
    const strange = JSON.stringify({ type: 'strange', call: id, text: WORDS });
    await api.redis.xadd(REJECTED_STREAM, '*', 'reason', 'x', 'event', strange);
    await vi.waitFor(async () => ended(id));
    await vi.waitFor(() => expect(conversations()).toHaveLength(2));
    const recording = path.join(folder, 'recordings', recordingFile(id));
    mkdirSync(path.dirname(recording), { recursive: true });
    writeFileSync(recording, WORDS);
    const before = `${await everyRow(api.database.db)}${await everyValue(api.redis)}`;
    expect(before).toContain(ADA);
    expect(before).toContain(WORDS);

    expect((await erase(id)).statusCode).toBe(204);

    const rows = await everyRow(api.database.db);
    expect(rows).not.toContain(ADA.slice(1));
    expect(rows).not.toContain(WORDS);
    const values = await everyValue(api.redis);
    expect(values.includes(ADA.slice(1))).toBe(false);
    expect(values.includes(WORDS)).toBe(false);
    expect(values.includes('another')).toBe(true);
    expect(existsSync(recording)).toBe(false);
    expect(conversations()).toEqual([]);
    // It can never be dialled again.
    expect(await readFence(api.redis, id)).toMatchObject({ state: 'ended' });

    const shell = await send({ url: `/api/calls/${id}` });
    expect(shell.json()).toMatchObject({
      call_id: null,
      to: null,
      from: null,
      status: 'ended',
      outcome: 'completed',
      trunk: 'simulator',
      request: null,
      variables: {},
      metadata: {},
      erased_at: expect.any(String),
    });

    const again = await place(`erase-${kind}`);
    expect(again.statusCode).toBe(200);
    expect(again.json()).toMatchObject({ call_id: id });
    expect(again.body).not.toContain(ADA);
    expect(await api.queue.depth()).toEqual({ waiting: 0, scheduled: 0 });

    expect((await erase(id)).statusCode).toBe(204);
    const audit = (await everyRow(api.database.db)).match(/call\.erase/g);
    expect(audit).toHaveLength(1);
  });

  it('does not take back what arrives late, and removes a recording that does', async () => {
    const id = newCallId();
    await publisher.send(endOf(id));
    await vi.waitFor(async () => expect((await erase(id)).statusCode).toBe(204));
    const recording = path.join(folder, 'recordings', recordingFile(id));
    mkdirSync(path.dirname(recording), { recursive: true });
    writeFileSync(recording, 'x');
    await publisher.publish('turn', id, { role: 'caller', text: WORDS, interrupted: false });
    await publisher.publish('call.recorded', id, {
      file: '../../outside.wav',
      durationMs: 1,
      bytes: 1,
    });
    const outside = path.join(folder, 'outside.wav');
    writeFileSync(outside, 'x');
    await vi.waitFor(() => expect(existsSync(recording)).toBe(false), { timeout: 20_000 });
    expect(existsSync(outside)).toBe(true);
    const detail = await send({ url: `/api/calls/${id}` });
    expect(detail.json()).toMatchObject({ turns: [], recording: null });
    expect(await everyRow(api.database.db)).not.toContain(WORDS);
    await vi.waitFor(async () => expect(await everyValue(api.redis)).not.toContain(WORDS));
  });

  it('erases all calls of a number that have ended, and names those that have not', async () => {
    const number = '+12025550188';
    const received = (to: string, from: string) => ({
      from,
      to,
      trunk: 'simulator',
      personality: 'receptionist',
      simulated: true,
    });
    const over = [newCallId(), newCallId()];
    const going = newCallId();
    await publisher.publish('call.received', over[0]!, received('+12025550110', number));
    await publisher.publish('call.received', over[1]!, received(number, '+12025550110'));
    await publisher.publish('call.received', going, received('+12025550110', number));
    for (const id of over) await publisher.send(endOf(id));
    const erasure = async () => send({ method: 'POST', url: '/api/erasures', payload: { number } });
    await vi.waitFor(async () => {
      const list = await send({
        url: `/api/calls?status=ended&number=${encodeURIComponent(number)}`,
      });
      expect(list.json()).toMatchObject({ calls: { length: 2 } });
      const open = await send({ url: `/api/calls/${going}` });
      expect(open.statusCode).toBe(200);
    });
    expect((await erasure()).json()).toEqual({ erased: 2, not_ended: [going] });
    expect((await erasure()).json()).toEqual({ erased: 0, not_ended: [going] });
    await publisher.send(endOf(going));
    await vi.waitFor(async () => {
      expect((await erasure()).json()).toEqual({ erased: 1, not_ended: [] });
    });
    expect(await everyRow(api.database.db)).not.toContain(number);
    expect(await everyValue(api.redis)).not.toContain(number);
  });

  it('knows no call that is not there', async () => {
    expect((await erase(newCallId())).statusCode).toBe(404);
    expect((await erase('%00')).statusCode).toBe(404);
    const url = '/api/erasures';
    expect((await send({ method: 'POST', url, payload: {} })).statusCode).toBe(400);
    const strange = { number: '\u0000' };
    expect((await send({ method: 'POST', url, payload: strange })).statusCode).toBe(400);
  });

  it('says so where Redis is away, and completes it when it is asked again', async () => {
    const id = newCallId();
    await publisher.publish('call.received', id, {
      from: ADA,
      to: '+12025550110',
      trunk: 'simulator',
      personality: 'receptionist',
      simulated: true,
    });
    await publisher.send(endOf(id));
    await vi.waitFor(async () => {
      const detail = await send({ url: `/api/calls/${id}` });
      expect(detail.json()).toMatchObject({ status: 'ended' });
    });
    api.server.freeze();
    const refused = await erase(id);
    api.server.thaw();
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['retry-after']).toBe('5');
    await vi.waitFor(async () => expect((await erase(id)).statusCode).toBe(204), 30_000);
    expect(await everyValue(api.redis)).not.toContain(ADA);
  });
});
