import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isCallId, newCallId } from '../call/call-id.ts';
import { EventPublisher } from '../call/event-stream.ts';
import { databaseMaker, type DatabaseMaker } from '../call/ledger/testing.ts';
import { API_KEY, startTestApi, type TestApi } from './testing.ts';

const TO = '+12025550123';

describe.each(['embedded', 'postgres'] as const)('the API on the %s database', (kind) => {
  let api: TestApi;
  let maker: DatabaseMaker;

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    api = await startTestApi(async () => maker.open());
  });
  afterAll(async () => {
    await api.close();
    await maker.remove();
  });

  const send = async (options: InjectOptions): Promise<Response> =>
    api.app.inject({ ...options, headers: { 'x-api-key': API_KEY, ...options.headers } });
  const place = async (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    send({
      method: 'POST',
      url: '/api/outbound-call',
      headers: { 'content-type': 'application/json', ...headers },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const knownToLedger = async () => (await api.ledger.list({ limit: 100_000 })).length;
  const knownToQueue = async () => {
    const { waiting, scheduled } = await api.queue.depth();
    return waiting + scheduled;
  };

  /** Expects a problem, and that nothing was left behind. */
  const refuses = async (
    status: number,
    answer: Promise<Response>,
  ): Promise<Record<string, unknown>> => {
    const before = [await knownToLedger(), await knownToQueue()];
    const response = await answer;
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.statusCode).toBe(status);
    const problem = response.json<Record<string, unknown>>();
    expect(problem).toMatchObject({ status, title: expect.any(String), type: expect.any(String) });
    expect([await knownToLedger(), await knownToQueue()]).toEqual(before);
    return problem;
  };

  it('accepts an order, writes it down and gives it to the queue', async () => {
    const response = await place({
      to_number: '+1 (202) 555-0123',
      caller_name: 'Practice',
      variables: { name: 'Ada' },
      metadata: { crm: 7 },
    });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      status: 'queued',
      call_id: expect.stringMatching(/^outbound-\d{8}-\d{6}-\+12025550123/),
      message: 'The call is queued.',
    });
    const id = String(response.headers['x-call-id']);
    expect(isCallId(id)).toBe(true);
    expect(await api.redis.hget(`bull:outbound-calls:${id}`, 'data')).toContain('"crm":7');
    const detail = await send({
      url: `/api/calls/${encodeURIComponent(response.json<{ call_id: string }>().call_id)}`,
    });
    expect(detail.json()).toMatchObject({
      id,
      status: 'queued',
      direction: 'outbound',
      to: TO,
      from: '+12025550110',
      trunk: 'simulator',
      personality: 'receptionist',
      simulated: true,
      variables: { name: 'Ada' },
      metadata: { crm: 7 },
      turns: [],
      timeline: [{ type: 'call.queued' }],
    });
  });

  it('warns of a number that is possible but not assigned, and calls it', async () => {
    const response = await place({ to_number: '+15551234567', personality: 'german_assistant' });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ message: expect.stringContaining('Warning') });
  });

  it('refuses a missing and a wrong key', async () => {
    const url = '/api/outbound-call';
    const payload = { to_number: TO };
    await refuses(401, api.app.inject({ method: 'POST', url, payload }));
    await refuses(401, place(payload, { 'x-api-key': 'wrong' }));
    await refuses(401, send({ url: '/api/calls', headers: { 'x-api-key': `${API_KEY}x` } }));
    await refuses(401, place('x'.repeat(1_000_000), { 'x-api-key': '' }));
  });

  it('refuses an unknown field and names it', async () => {
    const problem = await refuses(400, place({ to_number: TO, colour: 'red', size: 1 }));
    expect(problem.errors).toEqual([
      { field: 'colour', reason: 'there is no such field' },
      { field: 'size', reason: 'there is no such field' },
    ]);
  });

  it.each([
    ['without a country', '2025550123'],
    ['of an unknown country', '+999123456789'],
    ['that is too short', '+1202555'],
    ['that is too long', '+120255501234567'],
    ['with letters', '+1202KLMNOPQ'],
    ['that is empty', ''],
    ['that is SQL', "'; drop table calls; --"],
  ])('refuses a number %s with a reason and an example', async (_title, to_number) => {
    const problem = await refuses(400, place({ to_number }));
    expect(problem.detail).toContain('+12025550123');
  });

  it('refuses a personality that does not exist, with those that do', async () => {
    const problem = await refuses(400, place({ to_number: TO, personality: 'nobody' }));
    expect(problem.personalities).toEqual(['german_assistant', 'receptionist']);
  });

  it('refuses an order that lacks a variable which the prompt needs', async () => {
    const order = { to_number: TO, personality: 'german_assistant', variables: { name: '' } };
    const problem = await refuses(400, place(order));
    expect(problem.errors).toEqual([{ field: 'variables.name', reason: 'is required' }]);
  });

  it('refuses a trunk that does not exist, with those that do', async () => {
    const problem = await refuses(400, place({ to_number: TO, trunk: 'nothing' }));
    expect(problem.trunks).toEqual(['simulator', 'carrier']);
  });

  it('refuses what the routing does not permit, and says why', async () => {
    const simulated = await refuses(400, place({ to_number: TO, trunk: 'carrier' }));
    expect(simulated.detail).toContain('simulator');
    const prefix = await refuses(
      400,
      place({ to_number: '+442079460123', personality: 'german_assistant' }),
    );
    expect(prefix.detail).toContain('+49');
    const from = { to_number: TO, personality: 'german_assistant', from_number: '+12025550199' };
    expect((await refuses(400, place(from))).detail).toContain('caller id');
  });

  it.each([
    ['malformed JSON', '{"to_number": "+1', 400],
    ['an empty body', '', 400],
    ['a list', '[]', 400],
    ['null', 'null', 400],
    ['a number instead of a text', '{"to_number": 12025550123}', 400],
    ['a key that reaches for the prototype', '{"to_number": "+12025550123", "__proto__": {}}', 400],
    ['a NUL in the metadata', JSON.stringify({ to_number: TO, metadata: { a: ['\u0000'] } }), 400],
    ['half of a surrogate pair', JSON.stringify({ to_number: TO, caller_name: '\ud800' }), 400],
    ['half of a pair as a key', JSON.stringify({ to_number: TO, metadata: { '\udc00': 1 } }), 400],
    [
      'nesting without end',
      `{"to_number":"${TO}","metadata":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`,
      400,
    ],
    ['a schedule that is no time', JSON.stringify({ to_number: TO, schedule_at: 'tomorrow' }), 400],
    [
      'a schedule in 100 years',
      JSON.stringify({ to_number: TO, schedule_at: '2126-01-01T00:00:00Z' }),
      400,
    ],
    ['a huge body', JSON.stringify({ to_number: TO, metadata: { a: 'x'.repeat(300_000) } }), 413],
  ])('refuses %s', async (_title, payload, status) => {
    await refuses(status, place(payload));
  });

  it('refuses another content type', async () => {
    await refuses(
      415,
      place(`to_number=${TO}`, { 'content-type': 'application/x-www-form-urlencoded' }),
    );
    await refuses(415, place('<to/>', { 'content-type': 'application/xml' }));
  });

  it('gives twenty racing requests with one key one call and one answer', async () => {
    const before = [await knownToLedger(), await knownToQueue()];
    const headers = { 'idempotency-key': `race-${kind}` };
    const bodies = [
      { to_number: TO, metadata: { a: 1, b: 2 } },
      { metadata: { b: 2, a: 1 }, to_number: TO },
    ];
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => place(bodies[index % 2], headers)),
    );
    expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1);
    expect(answers[0]?.statusCode).toBe(200);
    expect([await knownToLedger(), await knownToQueue()]).toEqual(before.map((count) => count + 1));
    await refuses(422, place({ to_number: TO, metadata: { a: 1, b: 3 } }, headers));
    await refuses(400, place({ to_number: TO }, { 'idempotency-key': 'x'.repeat(256) }));
  });

  it('gives requests of one second to one number different ids', async () => {
    const answers = await Promise.all(
      Array.from({ length: 15 }, async () => place({ to_number: TO })),
    );
    const ids = answers.map((answer) => answer.json<{ call_id: string }>().call_id);
    expect(new Set(ids).size).toBe(15);
    for (const id of ids) {
      const found = await send({ url: `/api/calls/${encodeURIComponent(id)}` });
      expect(found.statusCode).toBe(200);
    }
  });

  it('schedules a call', async () => {
    const at = new Date(Date.now() + 3_600_000).toISOString();
    const before = await api.queue.depth();
    const response = await place({ to_number: TO, schedule_at: at });
    expect(response.json()).toMatchObject({ message: 'The call is scheduled.' });
    const after = await api.queue.depth();
    expect(after.scheduled).toBe(before.scheduled + 1);
  });

  it('shows the life of an inbound call as its events arrive', async () => {
    const publisher = new EventPublisher(api.redis);
    const call = newCallId();
    await publisher.publish('call.received', call, {
      from: TO,
      to: '+12025550110',
      trunk: 'simulator',
      personality: 'receptionist',
      simulated: true,
      sipCallId: `SCL_${kind}`,
    });
    await publisher.publish('turn', call, { role: 'agent', text: 'Hello!', interrupted: false });
    await publisher.publish('call.ended', call, {
      outcome: 'completed',
      reason: 'The caller hung up.',
      hungUpBy: 'caller',
    });
    await vi.waitFor(async () => {
      const { calls } = (await send({ url: `/api/calls?sip_call_id=SCL_${kind}` })).json<{
        calls: unknown[];
      }>();
      expect(calls).toMatchObject([{ id: call, status: 'ended', call_id: null, turns: 1 }]);
    });
    const detail = await send({ url: `/api/calls/${call}` });
    expect(detail.json()).toMatchObject({
      outcome: 'completed',
      hung_up_by: 'caller',
      turns: [{ role: 'agent', text: 'Hello!', latency: null }],
      timeline: [{ type: 'call.received' }, { type: 'call.ended' }],
    });
  });

  it('pages through calls and refuses what is no page', async () => {
    const first = (await send({ url: '/api/calls?limit=3&direction=outbound' })).json<{
      calls: { id: string }[];
      next_cursor: string;
    }>();
    const second = (
      await send({ url: `/api/calls?limit=200&direction=outbound&cursor=${first.next_cursor}` })
    ).json<{ calls: { id: string }[]; next_cursor: null }>();
    const ids = [...first.calls, ...second.calls].map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted().toReversed());
    expect(new Set(ids).size).toBe(ids.length);
    expect(second.next_cursor).toBeNull();
    for (const query of [
      'limit=0',
      'limit=201',
      'cursor=x',
      'outcome=good',
      'colour=red',
      'trunk=%00',
    ]) {
      await refuses(400, send({ url: `/api/calls?${query}` }));
    }
  });

  it.each([
    'call_00000000000000000000000000',
    "call_'; drop table calls; --",
    'outbound-20260101-000000-+12025550123',
    '%00',
    '%27%20or%201=1--',
    'x'.repeat(150),
    '..%2f..%2fetc%2fpasswd',
    'call_%F0%9F%92%A9',
  ])('answers 404 for the id %s', async (id) => {
    await refuses(404, send({ url: `/api/calls/${id}` }));
  });

  it('answers problems for addresses that are none', async () => {
    await refuses(404, send({ url: '/nothing' }));
    const other = await send({ method: 'DELETE', url: '/api/outbound-call' });
    expect([other.statusCode, other.headers.allow]).toEqual([405, 'POST']);
    await refuses(400, send({ url: '/api/calls/%E0%A4%A' }));
  });

  it('describes itself in OpenAPI 3.1, in Swagger UI and in metrics, without a key', async () => {
    const spec = (await api.app.inject('/openapi.json')).json<{ openapi: string }>();
    expect(spec.openapi).toBe('3.1.0');
    const docs = await api.app.inject('/docs');
    expect([200, 302]).toContain(docs.statusCode);
    const metrics = await api.app.inject('/metrics');
    expect(metrics.body).toContain('trunkline_http_request_duration_seconds_count');
    expect(metrics.body).toMatch(/trunkline_calls\{status="queued",service="api"\} \d+/);
    expect(metrics.body).toMatch(/trunkline_calls_ended_total\{.*outcome="completed".*\} 1/);
    expect(metrics.body).toMatch(/trunkline_queue_orders\{state="waiting",service="api"\} \d+/);
    expect(metrics.body).toContain('trunkline_events_lag');
  });
});
