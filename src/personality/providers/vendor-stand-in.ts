import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** What a stand-in does with every request: answer, refuse with a status, or never answer. */
export type Behaviour = 'answer' | 'hang' | number;

/** One request, or the handshake of one WebSocket. */
type Seen = {
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Record<string, unknown>;
};

/** A server that speaks just enough of OpenAI's and Deepgram's protocols, for tests. */
export type VendorStandIn = {
  url: string;
  seen: Seen[];
  behave: (behaviour: Behaviour) => void;
  close: () => Promise<void>;
};

const chunk = (delta: object, rest: object = {}) =>
  `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', choices: [{ index: 0, delta }], ...rest })}\n\n`;

export async function startVendorStandIn(): Promise<VendorStandIn> {
  const seen: Seen[] = [];
  let behaviour: Behaviour = 'answer';
  const note = (request: IncomingMessage, body: string) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stand-in');
    const parsed: unknown = body.startsWith('{') ? JSON.parse(body) : {};
    seen.push({
      path: pathname,
      query: searchParams,
      headers: request.headers,
      body: Object(parsed) as Record<string, unknown>,
    });
    return pathname;
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      const path = note(request, body);
      if (behaviour === 'hang') return;
      if (typeof behaviour === 'number') {
        response.writeHead(behaviour, { 'content-type': 'application/json' });
        response.end('{"error":{"message":"refused, key sk-12345"}}');
      } else if (path.endsWith('/chat/completions')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(chunk({ role: 'assistant', content: 'Yes.' }));
        response.end(`${chunk({}, { choices: [] })}data: [DONE]\n\n`);
      } else if (path.endsWith('/audio/speech')) {
        response.writeHead(200, { 'content-type': 'audio/pcm' });
        response.end(Buffer.alloc(9600));
      } else {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"text":"yes"}');
      }
    });
  });
  const held = new Set<IncomingMessage['socket']>();
  server.on('connection', (socket) => {
    held.add(socket);
    socket.on('close', () => held.delete(socket));
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const path = note(request, '');
    if (behaviour === 'hang') return;
    if (typeof behaviour === 'number') {
      socket.end(`HTTP/1.1 ${behaviour} Refused\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (connection) => {
      connection.on('message', (data: Buffer, isBinary) => {
        if (isBinary) return;
        const { type }: { type?: string } = JSON.parse(data.toString());
        if (type === 'CloseStream') connection.send(JSON.stringify({ type: 'Metadata' }));
        if (type === 'CloseStream' || type === 'Close') connection.close();
        if (type === 'Flush' && path.endsWith('/speak')) {
          connection.send(Buffer.alloc(9600));
          connection.send(JSON.stringify({ type: 'Flushed' }));
        }
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    behave: (next) => {
      behaviour = next;
    },
    close: async () => {
      for (const socket of held) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
