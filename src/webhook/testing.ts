import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Received = {
  headers: IncomingHttpHeaders;
  body: string;
  event: { event_id: string; type: string; id?: string; [field: string]: unknown };
};

/** A receiver of webhooks on loopback, which answers as a test says. */
export class TestReceiver {
  readonly url: string;
  readonly received: Received[] = [];
  /** 200 unless a test says otherwise. Whoever does not answer hangs. */
  answer: (received: Received, response: ServerResponse) => void = ok;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  static async start(): Promise<TestReceiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const receiver = new TestReceiver(`http://127.0.0.1:${port}/hook?token=t0ken`, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = Buffer.concat(parts).toString('utf8');
        const event = JSON.parse(body) as Received['event'];
        const received = { headers: request.headers, body, event };
        receiver.received.push(received);
        receiver.answer(received, response);
      });
    });
    return receiver;
  }

  /** Ids of the events that came, each the first time only. */
  get events(): string[] {
    return [...new Set(this.received.map(({ event }) => event.event_id))];
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/** Answers with a status, and headers. */
export function status(code: number, headers: Record<string, string> = {}): TestReceiver['answer'] {
  return (_received, response) => void response.writeHead(code, headers).end();
}

export const ok: TestReceiver['answer'] = (_received, response) =>
  void response.writeHead(200).end('thanks');

export const hang: TestReceiver['answer'] = () => undefined;

export const closeConnection: TestReceiver['answer'] = (_received, response) =>
  void response.socket?.destroy();
