import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ApiClient } from './api-client.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A client of an api that answers everything with this; undefined: never. */
async function clientOf(
  answer: { status: number; body: string; headers?: Record<string, string> } | undefined,
  seen: (request: IncomingMessage) => void = () => undefined,
): Promise<ApiClient> {
  server = createServer((request, response) => {
    seen(request);
    if (answer) response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return new ApiClient({ url: `http://127.0.0.1:${port}`, apiKey: 'the-key' });
}

describe('a client of the api', () => {
  it('sends the key and the query, and reads the answer', async () => {
    const asked: string[] = [];
    const client = await clientOf({ status: 200, body: '{"keys":[]}' }, (request) =>
      asked.push(`${request.url} ${String(request.headers['x-api-key'])}`),
    );
    const schema = z.object({ keys: z.array(z.string()) });
    const answer = await client.json('GET', '/api/keys', schema, {
      query: { limit: 5, cursor: undefined },
    });
    expect(answer).toEqual({ keys: [] });
    expect(asked).toEqual(['/api/keys?limit=5 the-key']);
  });

  it('tells what the api said of each field', async () => {
    const body = JSON.stringify({
      title: 'The request is not valid',
      detail: 'name: is required',
      errors: [{ field: 'name', reason: 'is required' }],
    });
    const client = await clientOf({ status: 400, body });
    await expect(client.send('POST', '/api/keys', { body: {} })).rejects.toMatchObject({
      name: 'OperatorError',
      message: 'The request is not valid.\n  name: is required',
    });
  });

  it('tells that the key is wrong, and how long to wait', async () => {
    const body = JSON.stringify({ title: 'No', detail: 'not known' });
    const wrong = await clientOf({ status: 401, body });
    await expect(wrong.send('GET', '/api/keys')).rejects.toMatchObject({
      remedy: expect.stringContaining('API_KEY') as string,
    });
    server?.close();
    const busy = await clientOf({ status: 429, body, headers: { 'retry-after': '7' } });
    await expect(busy.send('GET', '/api/keys')).rejects.toMatchObject({
      remedy: 'Try again in 7 s.',
    });
  });

  it('tells that something else answers', async () => {
    const client = await clientOf({ status: 502, body: '<html>' });
    await expect(client.send('GET', '/api/keys')).rejects.toThrow(/HTTP 502/);
  });

  it('tells that nobody answers, or too late', async () => {
    const client = await clientOf(undefined);
    const late = client.send('GET', '/api/keys', { timeoutMs: 50 });
    await expect(late).rejects.toThrow(/does not answer at http/);
    server?.closeAllConnections();
    server?.close();
    await expect(client.send('GET', '/api/keys')).rejects.toMatchObject({
      remedy: expect.stringContaining('trunkline up') as string,
    });
  });
});
