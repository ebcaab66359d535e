import { Queue } from 'bullmq';
import type { LightMyRequestResponse as Response } from 'fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isCallId } from '../../call/call-id.ts';
import { EventPublisher } from '../../call/event-stream.ts';
import { databaseMaker, type DatabaseMaker } from '../../call/ledger/testing.ts';
import { OUTBOUND_QUEUE } from '../../call/order.ts';
import { API_KEY, startTestApi, type TestApi } from '../testing.ts';

const TO = '+12025550123';

type BatchAnswer = {
  queued: number;
  refused: number;
  calls: { status: string; id?: string; call_id?: string; problem?: { errors: unknown } }[];
};

describe.each(['embedded', 'postgres'] as const)('orders on the %s database', (kind) => {
  let api: TestApi;
  let maker: DatabaseMaker;
  let jobs: Queue;

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    api = await startTestApi(async () => maker.open());
    jobs = new Queue(OUTBOUND_QUEUE, { connection: api.redis });
    jobs.on('error', () => undefined);
  });
  afterAll(async () => {
    await jobs.close();
    await api.close();
    await maker.remove();
  });

  const post = async (url: string, body: unknown, key?: string): Promise<Response> =>
    api.app.inject({
      method: 'POST',
      url,
      headers: { 'x-api-key': API_KEY, ...(key === undefined ? {} : { 'idempotency-key': key }) },
      payload: body as object,
    });
  const place = async (body: object) => post('/api/outbound-call', { to_number: TO, ...body });
  const placeAll = async (calls: unknown, key?: string) =>
    post('/api/outbound-calls', { calls }, key);
  const count = async () => (await api.ledger.list({ limit: 10_000 })).length;

  it('carry their priority, longest duration and callback to where each is needed', async () => {
    const response = await place({
      priority: 2,
      max_duration: 90,
      callback_url: 'https://example.com/resume?id=4711',
    });
    expect(response.statusCode).toBe(200);
    const id = String(response.headers['x-call-id']);
    const job = await jobs.getJob(id);
    expect(job?.priority).toBe(2);
    expect(job?.data).toMatchObject({ priority: 2, maxDurationMs: 90_000 });
    // Whoever may read the queue need not know where a workflow can be resumed.
    expect(JSON.stringify(job?.data)).not.toContain('example.com');
    expect((await api.ledger.find(id))?.call.request).toEqual({
      priority: 2,
      maxDurationMs: 90_000,
      callbackUrl: 'https://example.com/resume?id=4711',
    });
    await jobs.remove(id);
    expect(await api.reconciler.run()).toBe(1);
    expect((await jobs.getJob(id))?.data).toEqual(job?.data);
    expect((await jobs.getJob(id))?.priority).toBe(2);
  });

  it.each([
    ['priority', 0],
    ['priority', 11],
    ['priority', 1.5],
    ['priority', '1'],
    ['max_duration', 9],
    ['max_duration', 14_401],
    ['max_duration', '60s'],
    ['callback_url', 'example.com'],
    ['callback_url', 'ftp://example.com/'],
    ['callback_url', 'javascript:alert(1)'],
    ['callback_url', 'https://user:secret@example.com/'],
    ['callback_url', 'https://example.com:99999999/'],
    ['callback_url', 'https://exa mple.com/'],
    ['callback_url', `https://example.com/${'x'.repeat(2000)}`],
  ])('are refused where %s is %s, which is named', async (field, value) => {
    const response = await place({ [field]: value });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ errors: [{ field }] });
    expect(response.body).not.toContain('secret');
  });

  it('of a batch are accepted or refused one by one, in their order', async () => {
    const before = await count();
    const response = await placeAll([
      { to_number: TO },
      { to_number: '12' },
      { to_number: TO, colour: 'red' },
      null,
      { to_number: TO, personality: 'nobody' },
      { to_number: TO, caller_name: 'NUL \u0000' },
      { to_number: TO, priority: 1, schedule_at: new Date(Date.now() + 60_000).toISOString() },
    ]);
    expect(response.statusCode).toBe(200);
    const { calls, ...sums } = response.json<BatchAnswer>();
    expect(sums).toEqual({ queued: 2, refused: 5 });
    const refused = (detail: object) => ({
      status: 'refused',
      problem: { status: 400, ...detail },
    });
    expect(calls).toMatchObject([
      {
        status: 'queued',
        call_id: expect.stringMatching(/^outbound-/),
        message: expect.any(String),
      },
      refused({ type: 'urn:trunkline:problem:impossible-number' }),
      refused({ errors: [{ field: 'colour', reason: 'there is no such field' }] }),
      refused({ errors: [{ field: 'body' }] }),
      refused({ personalities: ['german_assistant', 'receptionist'] }),
      refused({ detail: expect.stringContaining('U+0000') }),
      { status: 'queued', message: 'The call is scheduled.' },
    ]);
    expect(await count()).toBe(before + 2);
    expect(await jobs.getJobState(calls[0]?.id ?? '')).toBe('prioritized');
    expect(await jobs.getJobState(calls[6]?.id ?? '')).toBe('delayed');
  });

  it('of a batch are answered again as they were, refused ones too, also after an erasure', async () => {
    const person = '+12025550125';
    const batch = [{ to_number: person }, { to_number: '12' }, { to_number: '+12025550124' }];
    const first = await placeAll(batch, `batch-${kind}`);
    const before = await count();
    const again = await placeAll(batch, `batch-${kind}`);
    expect([again.statusCode, again.body]).toEqual([200, first.body]);
    expect((await placeAll(batch.slice(1), `batch-${kind}`)).statusCode).toBe(422);
    expect((await post('/api/outbound-call', batch[0], `batch-${kind}`)).statusCode).toBe(422);
    expect(await count()).toBe(before);

    const id = first.json<BatchAnswer>().calls[0]?.id;
    if (id === undefined || !isCallId(id)) throw new Error('not accepted');
    await new EventPublisher(api.redis).publish('call.ended', id, {
      outcome: 'canceled',
      reason: 'x',
      hungUpBy: 'operator',
    });
    await vi.waitFor(async () => {
      const { kind: erasure } = await api.ledger.erase(id, async () => undefined);
      expect(erasure).toBe('erased');
    });
    const erased = await placeAll(batch, `batch-${kind}`);
    expect(erased.body).not.toContain(person);
    expect(erased.json()).toMatchObject({ queued: 2, calls: [{ id, call_id: id }, {}, {}] });
  });

  it('of racing batches with one key are one batch', async () => {
    const before = await count();
    const batch = Array.from({ length: 20 }, (_, index) => ({
      to_number: `+120255501${String(index).padStart(2, '0')}`,
    }));
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => placeAll(batch, `race-${kind}`)),
    );
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(await count()).toBe(before + 20);
  });

  it('of one number fill a batch of a thousand, each with an id of its own', async () => {
    const before = await count();
    const response = await placeAll(Array.from({ length: 1000 }, () => ({ to_number: TO })));
    const { queued, calls } = response.json<BatchAnswer>();
    expect(queued).toBe(1000);
    expect(new Set(calls.map(({ call_id }) => call_id)).size).toBe(1000);
    expect(await count()).toBe(before + 1000);
    const { orders } = await api.ledger.queuedOrders(undefined, 10_000);
    expect(await api.queue.unknown(orders)).toEqual([]);
  });

  it.each([
    ['no list', {}],
    ['an empty list', { calls: [] }],
    ['more than a thousand', { calls: Array.from({ length: 1001 }, () => ({ to_number: TO })) }],
    ['another field', { calls: [{ to_number: TO }], colour: 'red' }],
    ['nesting without end', `{"calls":[${'['.repeat(50_000)}${']'.repeat(50_000)}]}`],
  ])('are refused as a batch where it has %s', async (_title, payload) => {
    const response = await api.app.inject({
      method: 'POST',
      url: '/api/outbound-calls',
      headers: { 'x-api-key': API_KEY, 'content-type': 'application/json' },
      payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    });
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toContain('application/problem+json');
  });

  it('may be a batch of megabytes, within its limit', async () => {
    const large = { to_number: TO, llm_prompt: 'x'.repeat(30_000) };
    expect((await placeAll(Array.from({ length: 100 }, () => large))).statusCode).toBe(200);
    expect((await placeAll(Array.from({ length: 300 }, () => large))).statusCode).toBe(413);
  });

  it('of a batch are none while Redis is away, but for a repeated one', async () => {
    const batch = [{ to_number: TO }];
    const first = await placeAll(batch, `away-${kind}`);
    const before = await count();
    await api.server.kill();
    try {
      expect((await placeAll(batch)).statusCode).toBe(503);
      const again = await placeAll(batch, `away-${kind}`);
      expect([again.statusCode, again.body]).toEqual([200, first.body]);
      expect(await count()).toBe(before);
    } finally {
      await api.server.restart();
    }
  });
});
