import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

export type AzureBehaviour = 'answer' | 'hang' | 'cut off' | number;

/**
 * A stand-in of Azure speech that speaks its WebSocket protocol, for tests: it understands every sound as
 * `hears`, and says every text as a ramp of samples.
 *
 * https://learn.microsoft.com/azure/ai-services/speech-service (the protocol is that of Microsoft's SDK)
 */
export type AzureStandIn = {
  url: string;
  hears: string;
  /** Handshakes. */
  requests: { url: URL; key: string | undefined }[];
  /** Texts, as plain text or SSML, that it was told to say. */
  said: string[];
  /** `speech.context` messages: what recognition was told beforehand. */
  contexts: string[];
  soundBytes: number;
  behave: (behaviour: AzureBehaviour) => void;
  /** Cuts the connections that there are. */
  hangUp: () => void;
  close: () => Promise<void>;
};

/** Bytes of 20 ms at 16 kHz; the voice sends five at a time. */
const FRAME_BYTES = 640;

export async function startAzureStandIn(): Promise<AzureStandIn> {
  let behaviour: AzureBehaviour = 'answer';
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const held = new Set<IncomingMessage['socket']>();
  const state: AzureStandIn = {
    url: '',
    hears: 'Guten Tag.',
    requests: [],
    said: [],
    contexts: [],
    soundBytes: 0,
    behave: (next) => {
      behaviour = next;
    },
    hangUp: () => {
      for (const client of sockets.clients) client.terminate();
    },
    close: async () => {
      for (const socket of held) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('connection', (socket) => {
    held.add(socket);
    socket.on('close', () => held.delete(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const header = request.headers['ocp-apim-subscription-key'];
    state.requests.push({ url, key: typeof header === 'string' ? header : undefined });
    if (behaviour === 'hang') return;
    if (typeof behaviour === 'number') {
      socket.end(`HTTP/1.1 ${behaviour} Refused\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (connection) => {
      connection.on('message', (data: Buffer, isBinary) => {
        const message = isBinary ? readBinary(data) : readText(data.toString());
        if (behaviour === 'cut off') connection.terminate();
        else if (message.path === 'ssml') say(connection, message);
        else if (message.path === 'speech.context') state.contexts.push(message.body.toString());
        else if (message.path === 'audio') hear(connection, message);
      });
    });
  });

  const heard = new WeakSet<WebSocket>();
  const hear = (connection: WebSocket, { requestId, body }: Message) => {
    const send = (path: string, content: object) => sendText(connection, requestId, path, content);
    const place = { Offset: 1_000_000, Duration: 5_000_000 };
    if (body.length > 0) {
      state.soundBytes += body.length;
      if (heard.has(connection)) return;
      heard.add(connection);
      send('turn.start', { context: { serviceTag: 'stand-in' } });
      send('speech.startDetected', { Offset: place.Offset });
      send('speech.hypothesis', { ...place, Text: state.hears.split(' ')[0] });
      send('speech.phrase', {
        ...place,
        RecognitionStatus: 'Success',
        DisplayText: state.hears,
      });
      return;
    }
    send('speech.endDetected', { Offset: 9_000_000 });
    send('speech.phrase', { RecognitionStatus: 'EndOfDictation', Offset: 9_000_000, Duration: 0 });
    send('turn.end', {});
  };

  const say = (connection: WebSocket, { requestId, body }: Message) => {
    state.said.push(body.toString());
    sendText(connection, requestId, 'turn.start', { context: { serviceTag: 'stand-in' } });
    const audio = { type: 'inline', streamId: 'one' };
    sendText(connection, requestId, 'response', { context: { serviceTag: 'stand-in' }, audio });
    for (let part = 0; part < 5; part += 1) {
      const samples = Int16Array.from({ length: (FRAME_BYTES * 5) / 2 }, (_, index) => index);
      sendSound(connection, requestId, Buffer.from(samples.buffer));
    }
    sendText(connection, requestId, 'turn.end', {});
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  state.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

type Message = { path: string; requestId: string; body: Buffer };

function readText(text: string): Message {
  const end = text.indexOf('\r\n\r\n');
  return { ...readHeaders(text.slice(0, end)), body: Buffer.from(text.slice(end + 4)) };
}

/** Two bytes with the length of the headers, the headers, the body. */
function readBinary(data: Buffer): Message {
  const length = data.readUInt16BE(0);
  const headers = data.subarray(2, 2 + length).toString();
  return { ...readHeaders(headers), body: data.subarray(2 + length) };
}

function readHeaders(text: string): Omit<Message, 'body'> {
  const headers = new Map(
    text.split('\r\n').map((line): [string, string] => {
      const [name = '', ...value] = line.split(':');
      return [name.trim().toLowerCase(), value.join(':').trim()];
    }),
  );
  return {
    path: headers.get('path')?.toLowerCase() ?? '',
    requestId: headers.get('x-requestid') ?? '',
  };
}

function sendText(connection: WebSocket, requestId: string, path: string, content: object): void {
  const type = 'application/json; charset=utf-8';
  const headers = `X-RequestId:${requestId}\r\nContent-Type:${type}\r\nPath:${path}\r\n`;
  connection.send(`${headers}\r\n${JSON.stringify(content)}`);
}

function sendSound(connection: WebSocket, requestId: string, sound: Buffer): void {
  const headers = Buffer.from(
    `X-RequestId:${requestId}\r\nContent-Type:audio/raw\r\nX-StreamId:one\r\nPath:audio\r\n`,
  );
  const length = Buffer.alloc(2);
  length.writeUInt16BE(headers.length);
  connection.send(Buffer.concat([length, headers, sound]));
}
