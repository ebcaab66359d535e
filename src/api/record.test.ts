import { Writable } from 'node:stream';
import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callEvent } from '../call/call-event.ts';
import { newCallId, type CallId } from '../call/call-id.ts';
import { recordEvents } from '../call/ledger/record-events.ts';
import { databaseMaker, writeCall, type DatabaseMaker } from '../call/ledger/testing.ts';
import { API_KEY, startTestApi, type TestApi } from './testing.ts';

const ADA = '+12025550123';
const OURS = '+12025550110';

describe.each(['embedded', 'postgres'] as const)('the record of calls on %s', (kind) => {
  let api: TestApi;
  let maker: DatabaseMaker;
  let logged = '';

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        logged += chunk.toString();
        done();
      },
    });
    api = await startTestApi(async () => maker.open(), pino({ level: 'trace' }, stream));
  });
  afterAll(async () => {
    await api.close();
    await maker.remove();
  });

  const get = async (url: string, options: InjectOptions = {}): Promise<Response> =>
    api.app.inject({ url, ...options, headers: { 'x-api-key': API_KEY, ...options.headers } });
  const ids = async (query: string): Promise<string[]> => {
    const response = await get(`/api/calls?${query}`);
    expect(response.statusCode, response.body).toBe(200);
    return response.json<{ calls: { id: string }[] }>().calls.map(({ id }) => id);
  };

  describe('a list', () => {
    let one: CallId;
    let two: CallId;

    beforeAll(async () => {
      const row = { from: OURS, to: ADA, personality: 'survey', trunk: 'carrier' };
      one = await writeCall(api.database.db, {
        ...row,
        startedAt: new Date('2026-03-01T12:00:00Z'),
        metadata: { crm_id: 4711, 'a&b': 'x y', vip: true },
        status: 'ended',
        outcome: 'busy',
      });
      two = await writeCall(api.database.db, {
        ...row,
        startedAt: new Date('2026-03-01T14:00:00Z'),
        metadata: { crm_id: '4711' },
        status: 'ended',
        outcome: 'no_answer',
        simulated: true,
      });
    });

    it.each([
      ['number=%2B12025550123'],
      ['number=+12025550123'],
      ['to=%2B12025550123&from=%2B12025550110'],
      ['outcome=busy,no_answer'],
      ['outcome=busy&outcome=no_answer'],
      ['status=ended&personality=survey&trunk=carrier&direction=outbound'],
      ['metadata[crm_id]=4711'],
      ['metadata%5Bcrm_id%5D=4711'],
      ['since=2026-03-01T13:00:00%2B01:00&until=2026-03-01T15:00:00Z'],
      ['since=2026-03-01T13:00:00+01:00&until=2026-03-02T00:00:00+00:00'],
      ['since=0000-01-01T00:00:00Z&until=9999-12-31T23:59:59Z'],
      ['since=0000-01-01T00:00:00%2B23:59&until=9999-12-31T23:59:59-23:59'],
    ])('finds both calls by %s', async (query) => {
      expect(await ids(query)).toEqual([two, one]);
      expect(await ids(`${query}&order=asc`)).toEqual([one, two]);
    });

    it('finds one by what only it has', async () => {
      expect(await ids('metadata[crm_id]=4711&metadata[a%26b]=x%20y')).toEqual([one]);
      expect(await ids('metadata[vip]=true')).toEqual([one]);
      expect(await ids('simulated=true&personality=survey')).toEqual([two]);
      expect(await ids('until=2026-03-01T14:00:00Z')).toEqual([one]);
    });

    it.each([
      'outcome=good',
      'outcome=',
      'outcome=busy,',
      'since=yesterday',
      'since=2026-03-01',
      'since=2026-02-30T00:00:00Z',
      'simulated=yes',
      'order=up',
      'number=%00',
      'number=1&number=2',
      'metadata=4711',
      'metadata[a]=1&metadata[a]=2',
      'metadata[a]=%00',
      'metadata[%00]=a',
      `metadata[a]=${'x'.repeat(201)}`,
      Array.from({ length: 11 }, (_, index) => `metadata[${index}]=1`).join('&'),
      'metadata[a=1',
      '__proto__=1',
      'metadata[__proto__]=1&metadata[__proto__]=2',
    ])('refuses %s', async (query) => {
      const response = await get(`/api/calls?${query}`);
      expect(response.statusCode, response.body).toBe(400);
      expect(response.headers['content-type']).toContain('application/problem+json');
    });

    it('pages in both directions', async () => {
      const walk = async (order: string): Promise<string[]> => {
        const seen: string[] = [];
        let cursor = '';
        do {
          const url = `/api/calls?personality=survey&limit=1&order=${order}${cursor}`;
          const page = (await get(url)).json<{
            calls: { id: string }[];
            next_cursor: string | null;
          }>();
          seen.push(...page.calls.map(({ id }) => id));
          cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`;
        } while (cursor !== '');
        return seen;
      };
      expect(await walk('desc')).toEqual([two, one]);
      expect(await walk('asc')).toEqual([one, two]);
    });

    it('leaves no number in the log, whatever it is asked', async () => {
      await get('/api/calls?number=%2B12025550123');
      await get('/api/calls?number=%2B12025550123&nothing=1');
      await get('/api/nothing?number=%2B12025550123');
      await get('/api/export/calls?number=%2B12025550123');
      expect(logged).not.toContain('2025550123');
    });
  });

  it('shows everything of a call', async () => {
    const at = Date.parse('2026-04-01T12:00:00Z');
    const id = await writeCall(api.database.db, {
      startedAt: new Date(at),
      from: OURS,
      to: ADA,
      trunk: 'carrier',
      request: {
        callerName: 'Practice',
        greeting: 'Hello',
        notBefore: at + 1000,
        priority: 3,
        callbackUrl: 'https://user:secret@n8n.example.com/hook/1?signature=secret',
        maxDurationMs: 90_000,
      },
    });
    const answered = { personality: 'receptionist', simulated: true, sipCallId: 'SCL_9' };
    const turn = { role: 'agent', text: 'Hello.', interrupted: true } as const;
    const usage = [{ component: 'llm', provider: 'openai', inputTokens: 5 }] as const;
    const recorded = { file: '2026/04/01/x.wav', durationMs: 60_000, bytes: 7 };
    const events = [
      { ...callEvent('call.dialing', id, { trunk: 'carrier', attempt: 1 }), at: at + 1000 },
      { ...callEvent('call.ringing', id, {}), at: at + 2000 },
      { ...callEvent('call.answered', id, answered), at: at + 7000 },
      {
        ...callEvent('turn', id, { ...turn, latency: { total: 800, endOfTurn: 300 } }),
        at: at + 9000,
      },
      { ...callEvent('turn', id, { ...turn, latency: { total: 400 } }), at: at + 9500 },
      {
        ...callEvent('call.ended', id, {
          outcome: 'completed',
          reason: 'The callee hung up.',
          hungUpBy: 'callee',
          sipStatus: 200,
        }),
        at: at + 67_000,
      },
      { ...callEvent('call.recorded', id, recorded), at: at + 67_000 },
      { ...callEvent('call.usage', id, { usage: [...usage] }), at: at + 67_000 },
    ];
    await recordEvents(api.database.db, events);
    const response = await get(`/api/calls/${id}`);
    expect(response.statusCode, response.body).toBe(200);
    const detail = response.json<Record<string, unknown>>();
    expect(detail).toMatchObject({
      sip_status: 200,
      sip_call_id: 'SCL_9',
      trunk: 'carrier',
      dialed_at: new Date(at + 1000).toISOString(),
      durations: { ring_ms: 5000, talk_ms: 60_000 },
      request: {
        caller_name: 'Practice',
        llm_prompt: null,
        greeting: 'Hello',
        schedule_at: new Date(at + 1000).toISOString(),
        priority: 3,
        callback_url: 'https://n8n.example.com/hook/1',
        max_duration: 90,
      },
      turns: [{ latency: { total: 800, end_of_turn: 300 } }, { latency: { total: 400 } }],
      latencies: {
        reply: { count: 2, p50: 400, p95: 800, max: 800 },
        end_of_turn: { count: 1, p50: 300, p95: 300, max: 300 },
        llm_first_token: null,
      },
      usage: [{ component: 'llm', provider: 'openai', model: null, input_tokens: 5 }],
      cost: null,
      recording: { url: `/api/calls/${id}/recording`, duration_ms: 60_000, bytes: 7 },
      erased_at: null,
    });
    expect((detail['timeline'] as { type: string }[]).map(({ type }) => type)).toEqual([
      'call.dialing',
      'call.ringing',
      'call.answered',
      'call.ended',
      'call.recorded',
      'call.usage',
    ]);
    expect(response.body).not.toMatch(/secret|x\.wav/);
  });

  describe('a transcript', () => {
    let id: CallId;

    beforeAll(async () => {
      id = newCallId();
      const received = { from: ADA, to: OURS, trunk: 'simulator', personality: 'receptionist' };
      await recordEvents(api.database.db, [
        callEvent('call.received', id, { ...received, simulated: true }),
        callEvent('call.answered', id, { personality: 'receptionist', simulated: true }),
        callEvent('turn', id, { role: 'caller', text: 'Grüße 🙂 <b>', interrupted: false }),
      ]);
    });

    it.each([
      [undefined, undefined, 'application/json'],
      [undefined, 'text/markdown', 'text/markdown'],
      [undefined, 'text/*;q=0.5, application/x-subrip', 'application/x-subrip'],
      [undefined, 'text/plain', 'text/plain'],
      [undefined, 'text/html,*/*;q=0.8', 'application/json'],
      [undefined, 'image/png', 'application/json'],
      [undefined, ';;,', 'application/json'],
      ['json', 'text/plain', 'application/json'],
      ['markdown', undefined, 'text/markdown'],
      ['text', undefined, 'text/plain'],
      ['srt', undefined, 'application/x-subrip'],
    ])('for format %s and Accept %s is %s', async (format, accept, type) => {
      const query = format === undefined ? '' : `?format=${format}`;
      const headers = accept === undefined ? {} : { accept };
      const response = await get(`/api/calls/${id}/transcript${query}`, { headers });
      expect(response.statusCode, response.body).toBe(200);
      expect(response.headers['content-type']).toBe(`${type}; charset=utf-8`);
      expect(response.headers['vary']).toBe('Accept');
      expect(response.body).toContain('Grüße 🙂');
    });

    it('as JSON tells when each turn was over, from the answer on', async () => {
      const { turns } = (await get(`/api/calls/${id}/transcript`)).json<{ turns: unknown[] }>();
      expect(turns).toEqual([
        {
          role: 'caller',
          text: 'Grüße 🙂 <b>',
          interrupted: false,
          at: expect.any(String),
          offset_ms: expect.any(Number),
        },
      ]);
    });

    it('is a problem where there is none', async () => {
      const silent = await writeCall(api.database.db);
      const erased = await writeCall(api.database.db, { status: 'ended', erasedAt: new Date() });
      for (const [call, status] of [
        [newCallId(), 404],
        [silent, 404],
        [erased, 410],
        ['%00', 404],
      ] as const) {
        const url = `/api/calls/${call}/transcript`;
        const response = await get(url, { headers: { accept: 'text/plain' } });
        expect(response.statusCode, response.body).toBe(status);
        expect(response.headers['content-type']).toContain('application/problem+json');
      }
      expect((await get(`/api/calls/${id}/transcript?format=pdf`)).statusCode).toBe(400);
    });
  });

  it('is described: the metadata as an object in the address, the forms of a transcript', async () => {
    const spec = (await api.app.inject('/openapi.json')).json<{
      paths: Record<
        string,
        {
          get: {
            parameters: { name: string }[];
            responses: Record<string, { content: Record<string, unknown> }>;
          };
        }
      >;
    }>();
    const list = spec.paths['/api/calls']?.get.parameters ?? [];
    expect(list.find(({ name }) => name === 'metadata')).toMatchObject({
      in: 'query',
      style: 'deepObject',
      explode: true,
      schema: { type: 'object' },
    });
    expect(list.find(({ name }) => name === 'outcome')).toMatchObject({
      schema: { type: 'array' },
    });
    const forms = spec.paths['/api/calls/{id}/transcript']?.get.responses['200']?.content;
    expect(Object.keys(forms ?? {})).toEqual([
      'application/json',
      'text/markdown',
      'text/plain',
      'application/x-subrip',
    ]);
  });
});
