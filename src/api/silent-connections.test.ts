import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import fastify from 'fastify';
import { expect, it, vi } from 'vitest';
import { endLateConnections } from './silent-connections.ts';

it('closes although a client has stopped to read what it asked for', async () => {
  const app = fastify();
  endLateConnections(app, 50);
  const source = new Readable({
    read() {
      this.push(Buffer.alloc(64 * 1024));
    },
  });
  app.get('/', async () => source);
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const client = connect(Number(port), '127.0.0.1');
  client.on('error', () => undefined);
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(client, 'readable');
  await app.close();
  await vi.waitFor(() => expect(source.destroyed).toBe(true), { timeout: 30_000 });
  client.destroy();
});
