import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newApiKey } from '../access/api-key.ts';
import { databaseMaker, type DatabaseMaker } from '../call/ledger/testing.ts';
import { API_KEY, startTestApi, type TestApi } from './testing.ts';

type Key = { id: string; key: string; state: string };

describe('access to the API', () => {
  let maker: DatabaseMaker;
  let api: TestApi;
  let url: URL;

  beforeAll(async () => {
    maker = await databaseMaker('embedded');
    api = await startTestApi(async () => maker.open(), undefined, {
      TRUSTED_PROXIES: '192.0.2.0/24',
    });
    url = new URL(await api.app.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterAll(async () => {
    await api.close();
    await maker.remove();
  });

  const send = async (options: InjectOptions, key = API_KEY): Promise<Response> =>
    api.app.inject({ ...options, headers: { 'x-api-key': key, ...options.headers } });
  const make = async (body: object, key = API_KEY): Promise<Response> =>
    send({ method: 'POST', url: '/api/keys', payload: body }, key);
  const keyOf = async (body: object): Promise<Key> => {
    const response = await make({ name: 'a key', ...body });
    expect(response.statusCode, response.body).toBe(201);
    return response.json<Key>();
  };
  const problem = (response: Response): string => {
    expect(response.headers['content-type']).toContain('application/problem+json');
    return response.json<{ detail: string }>().detail;
  };

  it('shows a new key once, and never again', async () => {
    const response = await make({
      name: 'n8n',
      scopes: ['read'],
      expires_at: '2031-01-01T00:00:00+01:00',
      rate_limit: 60,
    });
    expect(response.statusCode).toBe(201);
    expect(response.headers['cache-control']).toBe('no-store');
    const { key, ...shown } = response.json<Key>();
    expect(shown).toMatchObject({
      name: 'n8n',
      prefix: key.slice(0, 10),
      scopes: ['read'],
      state: 'active',
      rate_limit: 60,
      expires_at: '2030-12-31T23:00:00.000Z',
      revoked_at: null,
      last_used_at: null,
    });
    const list = await send({ url: '/api/keys' });
    expect(list.json<{ keys: object[] }>().keys).toContainEqual(shown);
    const audit = await send({ url: `/api/audit?subject=${shown.id}` });
    expect(audit.json()).toMatchObject({
      records: [
        {
          actor: { id: 'root', name: 'API_KEY' },
          action: 'key.create',
          detail: { name: 'n8n', scopes: ['read'], rate_limit: 60 },
        },
      ],
      next_cursor: null,
    });
    for (const { body } of [list, audit]) expect(body).not.toContain(key.slice(10));
  });

  it('permits what the scopes of a key permit', async () => {
    const order = { method: 'POST', url: '/api/outbound-call', payload: {} } as const;
    const expected = { read: [200, 403, 403], call: [200, 400, 403], manage: [200, 400, 200] };
    for (const [scope, statuses] of Object.entries(expected)) {
      const { key } = await keyOf({ scopes: [scope] });
      const answers = [
        await send({ url: '/api/calls' }, key),
        await send(order, key),
        await send({ url: '/api/keys' }, key),
      ];
      expect(
        answers.map(({ statusCode }) => statusCode),
        scope,
      ).toEqual(statuses);
    }
    const { key } = await keyOf({ scopes: ['read'] });
    expect(problem(await send(order, key))).toContain('scope call');
  });

  it('takes the key as a bearer token too', async () => {
    const { key } = await keyOf({ scopes: ['read'] });
    const bearer = async (authorization: string) =>
      (await api.app.inject({ url: '/api/calls', headers: { authorization } })).statusCode;
    expect(await bearer(`Bearer ${key}`)).toBe(200);
    expect(await bearer(`bearer  ${key}`)).toBe(200);
    expect(await bearer(`Bearer ${API_KEY}`)).toBe(200);
    expect(await bearer(`Basic ${key}`)).toBe(401);
    expect(await bearer('Bearer')).toBe(401);
    const wrong = await send(
      { url: '/api/calls', headers: { authorization: `Bearer ${key}` } },
      'no',
    );
    expect(wrong.statusCode).toBe(401);
    expect(wrong.headers['www-authenticate']).toContain('Bearer');
  });

  it('revokes a key at once, as often as it is asked', async () => {
    const { id, key } = await keyOf({ scopes: ['manage'] });
    expect((await send({ url: '/api/calls' }, key)).statusCode).toBe(200);
    const revoke = async () => send({ method: 'DELETE', url: `/api/keys/${id}` }, key);
    expect((await revoke()).json()).toMatchObject({ id, state: 'revoked' });
    const refused = await revoke();
    expect([refused.statusCode, problem(refused)]).toEqual([
      401,
      'The key was revoked; ask for a new one.',
    ]);
    const again = await send({ method: 'DELETE', url: `/api/keys/${id}` });
    expect(again.json()).toMatchObject({ id, state: 'revoked' });
    const audit = await send({ url: `/api/audit?subject=${id}&action=key.revoke` });
    expect(audit.json()).toMatchObject({ records: [{ actor: { id } }] });
    expect((await send({ method: 'DELETE', url: '/api/keys/root' })).statusCode).toBe(404);
    expect((await send({ method: 'DELETE', url: '/api/keys/%00' })).statusCode).toBe(404);
  });

  it.each([
    [{ name: '', scopes: ['read'] }, 'name'],
    [{ name: ' blank', scopes: ['read'] }, 'name'],
    [{ name: 'two\nlines', scopes: ['read'] }, 'name'],
    [{ name: 'half \ud800', scopes: ['read'] }, 'name'],
    [{ name: 'x'.repeat(101), scopes: ['read'] }, 'name'],
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: 'x', scopes: ['root'] }, 'scopes.0'],
    [{ name: 'x' }, 'scopes'],
    [{ name: 'x', scopes: ['read'], expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'x', scopes: ['read'], expires_at: '9999-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'x', scopes: ['read'], expires_at: 'soon' }, 'expires_at'],
    [{ name: 'x', scopes: ['read'], rate_limit: 0 }, 'rate_limit'],
    [{ name: 'x', scopes: ['read'], rate_limit: 1.5 }, 'rate_limit'],
    [{ name: 'x', scopes: ['read'], key: 'tl_mine' }, 'key'],
  ])('refuses the wrong key %j', async (body, field) => {
    const response = await make(body);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ errors: [{ field }] });
  });

  it('pages through keys and records, and refuses what is no page', async () => {
    for (const url of ['/api/keys', '/api/audit']) {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: Record<string, { id: string }[]> & { next_cursor: string | null } = (
          await send({ url: `${url}?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}` })
        ).json();
        seen.push(...(page['keys'] ?? page['records'] ?? []).map(({ id }) => id));
        cursor = page.next_cursor;
      }
      expect(seen.length).toBeGreaterThan(6);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(seen.toSorted().toReversed());
      for (const wrong of ['limit=0', 'limit=201', 'cursor=x', 'page=2']) {
        expect((await send({ url: `${url}?${wrong}` })).statusCode, wrong).toBe(400);
      }
    }
    expect((await send({ url: '/api/audit?since=0000-01-01T00:00:00Z' })).statusCode).toBe(200);
    const late = await send({ url: '/api/audit?until=9999-12-31T23:59:59-23:59' });
    expect(late.statusCode).toBe(200);
  });

  it('limits the requests of a key, and no others', async () => {
    const limited = await keyOf({ scopes: ['read'], rate_limit: 2 });
    const free = await keyOf({ scopes: ['read'] });
    const first = await send({ url: '/api/calls' }, limited.key);
    expect(first.headers).toMatchObject({
      'ratelimit-policy': '"key";q=2;w=60',
      ratelimit: expect.stringMatching(/^"key";r=1;t=\d+$/),
    });
    // What is refused for another reason counts too.
    expect((await send({ url: '/api/keys' }, limited.key)).statusCode).toBe(403);
    const over = await send({ url: '/api/calls' }, limited.key);
    expect([over.statusCode, problem(over)]).toEqual([
      429,
      'The key may send 2 requests a minute.',
    ]);
    expect(Number(over.headers['retry-after'])).toBeGreaterThan(0);
    expect(over.json()).toMatchObject({ type: 'urn:trunkline:problem:too-many-requests' });
    for (const key of [free.key, API_KEY]) {
      const answer = await send({ url: '/api/calls' }, key);
      expect([answer.statusCode, answer.headers['ratelimit']]).toEqual([200, undefined]);
    }
  });

  it('slows down whoever tries out keys, by the address that a trusted proxy tells', async () => {
    const { key } = await keyOf({ scopes: ['read'] });
    const from = async (given: string, client: string, proxy = '192.0.2.9') =>
      send(
        { url: '/api/calls', remoteAddress: proxy, headers: { 'x-forwarded-for': client } },
        given,
      );
    expect((await from(API_KEY, '198.51.100.1')).statusCode).toBe(200);
    for (let count = 0; count < 30; count += 1) {
      const guess = count % 2 === 0 ? newApiKey() : `guess ${count}`;
      expect((await from(guess, '198.51.100.1')).statusCode).toBe(401);
    }
    const slowed = await from(newApiKey(), '198.51.100.1');
    expect(slowed.statusCode).toBe(429);
    expect(Number(slowed.headers['retry-after'])).toBeGreaterThan(0);
    // The right key, too, if it was never right from there.
    expect((await from(key, '198.51.100.1')).statusCode).toBe(429);
    expect((await from(API_KEY, '198.51.100.1')).statusCode).toBe(200);
    expect((await from(key, '198.51.100.2')).statusCode).toBe(200);
    // Who is no trusted proxy cannot take another's address.
    expect((await from(newApiKey(), '198.51.100.2', '203.0.113.5')).statusCode).toBe(401);
    expect((await from(key, '198.51.100.1', '203.0.113.5')).statusCode).toBe(200);
  });

  it('answers problems to those without a key, whatever they send', async () => {
    for (const headers of [{}, { 'x-api-key': '' }, { 'x-api-key': 'x'.repeat(10_000) }]) {
      const response = await api.app.inject({ url: '/api/keys', headers });
      expect(response.statusCode).toBe(401);
      problem(response);
    }
  });

  it('tells which methods an address knows', async () => {
    for (const [method, url, allow] of [
      ['PUT', '/api/keys', 'GET, HEAD, POST'],
      ['DELETE', '/api/keys', 'GET, HEAD, POST'],
      ['OPTIONS', '/api/keys/x', 'DELETE'],
      ['POST', '/health', 'GET, HEAD'],
    ] as const) {
      const response = await api.app.inject({ method, url });
      expect([response.statusCode, response.headers.allow], `${method} ${url}`).toEqual([
        405,
        allow,
      ]);
      problem(response);
    }
  });

  it.each([
    ['GET / HTTP/9.9\r\n\r\n', 400],
    ['\u0016\u0003\u0001 this is TLS \r\n\r\n', 400],
    [`GET /api/calls HTTP/1.1\r\nHost: x\r\nX-API-Key: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('answers a problem to what is not HTTP, or too much of it: %#', async (sent, status) => {
    const socket = connect(Number(url.port), url.hostname);
    socket.end(sent);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\nContent-Type: application/problem`));
    expect(JSON.parse(body)).toMatchObject({ status, title: expect.any(String) });
  });

  it('goes on without Redis, and without counting', async () => {
    const { key } = await keyOf({ scopes: ['read'], rate_limit: 1 });
    await api.server.kill();
    for (let count = 0; count < 3; count += 1) {
      expect((await send({ url: '/api/calls' }, key)).statusCode).toBe(200);
    }
    await api.server.restart();
  });
});
