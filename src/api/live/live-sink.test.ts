import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventStreamSink } from './live-sink.ts';

describe('an event stream', () => {
  const server = createServer();

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it('tells the end of a client that went away before it was served', async () => {
    const asked = once(server, 'request');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const [, response] = (await asked) as [unknown, ServerResponse];
    const gone = once(response, 'close');
    client.resetAndDestroy();
    await gone;

    const sink = new EventStreamSink(response, {});
    let ends = 0;
    await new Promise<void>((resolve) => {
      sink.onClosed(() => {
        ends += 1;
        resolve();
      });
      // Whoever is told does not expect it before this is done.
      expect(ends).toBe(0);
    });
    expect(ends).toBe(1);
  });
});
