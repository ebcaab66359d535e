import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { expect, it } from 'vitest';
import { KeptConnections } from './kept-connections.ts';

it('uses connections again for requests of other clients', async () => {
  let connections = 0;
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json').end('{"object":"list","data":[]}');
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const kept = new KeptConnections();
  for (let call = 0; call < 10; call += 1) {
    const client = new OpenAI({ apiKey: 'key', baseURL, fetch: kept.fetch });
    expect((await client.models.list()).data).toEqual([]);
  }
  // One that has just answered may not be free yet.
  expect(connections).toBeLessThanOrEqual(3);
  await kept.close();
  await new Promise((resolve) => server.close(resolve));
});
