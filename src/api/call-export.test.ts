import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { parse } from 'csv-parse/sync';
import { DrizzleQueryError } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi, type Mock } from 'vitest';
import { callEvent } from '../call/call-event.ts';
import type { Ledger } from '../call/ledger/ledger.ts';
import { recordEvents } from '../call/ledger/record-events.ts';
import { databaseMaker, writeCall, type DatabaseMaker } from '../call/ledger/testing.ts';
import { API_KEY, startTestApi, type TestApi } from './testing.ts';

const CALLS = 3000;
const FIRST = Date.UTC(2026, 1, 1);
const MINUTE = 60_000;
const FORMULA = '=HYPERLINK("http://example.com")';

describe.each(['embedded', 'postgres'] as const)('the export of calls on %s', (kind) => {
  let api: TestApi;
  let maker: DatabaseMaker;
  let port: number;

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    api = await startTestApi(async () => maker.open());
    for (let start = 0; start < CALLS; start += 100) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const number = start + index;
          await writeCall(api.database.db, {
            startedAt: new Date(FIRST + number * MINUTE),
            status: 'ended',
            outcome: number % 2 === 0 ? 'completed' : 'busy',
            from: '+12025550110',
            to: `+1202555${String(number).padStart(4, '0')}`,
            personality: number === 0 ? FORMULA : 'survey',
            metadata: { number, quote: '"a";\r\n,', filler: 'x'.repeat(8000) },
          });
        }),
      );
    }
    await api.app.listen({ host: '127.0.0.1', port: 0 });
    ({ port } = api.app.server.address() as AddressInfo);
  }, 120_000);
  afterEach(() => vi.restoreAllMocks());
  afterAll(async () => {
    await api.close();
    await maker.remove();
  });

  /** The answer, before anything of its body is read. */
  const open = async (query: string): Promise<IncomingMessage> => {
    const headers = { 'x-api-key': API_KEY };
    const path = `/api/export/calls?${query}`;
    const sent = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  };
  /** Waits until nothing is read from the ledger any more. */
  const settled = async (list: Mock<Ledger['list']>) => {
    let before = -1;
    const quiet = () => {
      const now = list.mock.calls.length;
      const same = now === before;
      before = now;
      expect(same).toBe(true);
    };
    await vi.waitFor(quiet, { timeout: 30_000, interval: 300 });
  };
  const numbersOf = (records: { metadata: { number: number } }[]) =>
    records.map(({ metadata }) => metadata.number);

  it('gives every call of a period once, in order, as JSON lines with what was said', async () => {
    const call = await writeCall(api.database.db, { startedAt: new Date(FIRST - MINUTE) });
    await recordEvents(api.database.db, [
      callEvent('turn', call, { role: 'agent', text: 'Hello.\nYou', interrupted: false }),
    ]);
    const since = new Date(FIRST - MINUTE).toISOString();
    const until = new Date(FIRST + 2000 * MINUTE).toISOString();
    const response = await open(`since=${since}&until=${until}`);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('application/jsonl; charset=utf-8');
    expect(response.headers['content-disposition']).toBe('attachment; filename="calls.jsonl"');
    const [first, ...lines] = (await text(response)).trimEnd().split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({ id: call, turns: [{ text: 'Hello.\nYou' }] });
    const records = lines.map((line) => JSON.parse(line) as { metadata: { number: number } });
    expect(numbersOf(records)).toEqual(Array.from({ length: 2000 }, (_, index) => index));
    const detail = await api.app.inject({
      url: `/api/calls/${call}`,
      headers: { 'x-api-key': API_KEY },
    });
    expect(JSON.parse(first ?? '')).toEqual(detail.json());
  });

  it('gives the same as CSV that a reader of RFC 4180 understands', async () => {
    const response = await open('format=csv&personality=survey&outcome=completed');
    expect(response.headers['content-type']).toBe('text/csv; charset=utf-8');
    const body = await text(response);
    expect(body.endsWith('\r\n')).toBe(true);
    const rows = parse<Record<string, string>>(body, {
      columns: true,
      record_delimiter: '\r\n',
    });
    expect(rows).toHaveLength(CALLS / 2 - 1);
    expect(rows[0]).toMatchObject({
      direction: 'outbound',
      outcome: 'completed',
      to: '+12025550002',
      simulated: 'false',
      call_id: '',
      started_at: new Date(FIRST + 2 * MINUTE).toISOString(),
    });
    expect(JSON.parse(rows[0]?.['metadata'] ?? '')).toMatchObject({
      number: 2,
      quote: '"a";\r\n,',
    });
  });

  it('gives a spreadsheet no formula', async () => {
    const body = await text(await open(`format=csv&personality=${encodeURIComponent(FORMULA)}`));
    const [row] = parse<Record<string, string>>(body, { columns: true });
    expect(row).toMatchObject({ personality: `'${FORMULA}`, to: '+12025550000' });
  });

  it('gives only a heading, or nothing, where there are no calls', async () => {
    const csv = await text(await open('format=csv&trunk=nothing'));
    expect(csv).toMatch(/^id,call_id,direction,[\w,]+\r\n$/);
    expect(await text(await open('trunk=nothing'))).toBe('');
  });

  it('reads no further than a slow reader takes, and gives it everything', async () => {
    const list = vi.spyOn(api.ledger, 'list');
    const response = await open('since=2026-02-01T00:00:00Z');
    response.pause();
    await settled(list);
    // All of it is some 24 MB; kernel and stream hold less.
    expect(list.mock.calls.length).toBeLessThan(CALLS / 50);
    const lines = (await text(response)).trimEnd().split('\n');
    expect(lines).toHaveLength(CALLS);
  });

  it('reads nothing for who asks for the headers alone', async () => {
    const list = vi.spyOn(api.ledger, 'list');
    for (const url of ['/api/export/calls', '/api/backup']) {
      const headers = { 'x-api-key': API_KEY };
      const answer = await api.app.inject({ method: 'HEAD', url, headers });
      expect(answer.statusCode).toBe(405);
      expect(answer.headers['allow']).toBe('GET');
    }
    expect(list).not.toHaveBeenCalled();
  });

  it('stops reading when its reader goes', async () => {
    const list = vi.spyOn(api.ledger, 'list');
    const response = await open('since=2026-02-01T00:00:00Z');
    await once(response, 'data');
    response.destroy();
    await settled(list);
    expect(list.mock.calls.length).toBeLessThan(CALLS / 50);
  });

  it('breaks off, and is seen to, where the database fails in between', async () => {
    const original = api.ledger.list.bind(api.ledger);
    let pages = 0;
    vi.spyOn(api.ledger, 'list').mockImplementation(
      async (query: Parameters<Ledger['list']>[0]) => {
        pages += 1;
        if (pages === 3) throw new Error('gone');
        return original(query);
      },
    );
    const response = await open('since=2026-02-01T00:00:00Z');
    expect(response.statusCode).toBe(200);
    await expect(text(response)).rejects.toThrow(/aborted|hang up/);
  });

  it('is a problem where the database is away from the start, and is written down', async () => {
    const audits = async () => {
      const { headers } = { headers: { 'x-api-key': API_KEY } };
      return (await api.app.inject({ url: '/api/audit?limit=200', headers })).body;
    };
    const response = await open('format=csv&number=%2B12025550002');
    await text(response);
    const written = await audits();
    expect(written).toContain('export.calls');
    expect(written).not.toContain('2025550002');
    vi.spyOn(api.ledger, 'list').mockRejectedValue(
      new DrizzleQueryError('', [], Object.assign(new Error('away'), { code: 'ECONNREFUSED' })),
    );
    const refused = await open('format=jsonl');
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['content-type']).toContain('application/problem+json');
    refused.resume();
  });
});
