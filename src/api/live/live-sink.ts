import type { ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import { LIVE_VERSION } from '../../call/live/live-event.ts';
import type { LiveMessage } from './live-message.ts';

/** Why we end a connection. */
export type CloseReason = 'overflow' | 'shutdown' | 'refused' | 'unavailable';

/** Codes of RFC 6455, section 7.4.1, and of IANA's registry for 1013. A reason has 123 bytes at most. */
const closings: Record<CloseReason, { code: number; text: string }> = {
  overflow: { code: 1013, text: 'overflow: you read too slowly; resume by last_event_id' },
  shutdown: { code: 1001, text: 'shutdown: the api ends; resume by last_event_id' },
  refused: { code: 1008, text: 'refused: the key has expired or was revoked' },
  unavailable: { code: 1013, text: 'unavailable: Redis is away; resume by last_event_id' },
};

/** Who does not take the last words in this time does not get them. */
const GOODBYE_MS = 2000;

const RETRY_MS = 2000;

/** One connection, whatever it speaks. */
export interface LiveSink {
  readonly transport: 'websocket' | 'sse';
  /** @param done called when the network has taken the message, or never will */
  write(message: LiveMessage, done: () => void): void;
  /** Bytes that a message takes here. */
  sizeOf(message: LiveMessage): number;
  /** Finds out whether somebody is there. False: nobody was, for a whole round. */
  probe(): boolean;
  close(reason: CloseReason): void;
  /** Called once, however the connection ended, also where it had ended before. */
  onClosed(callback: () => void): void;
}

export class WebSocketSink implements LiveSink {
  readonly transport = 'websocket';
  readonly #socket: WebSocket;
  #answered = true;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('pong', () => {
      this.#answered = true;
    });
  }

  write({ json }: LiveMessage, done: () => void): void {
    this.#socket.send(json, { binary: false }, done);
  }

  sizeOf({ json }: LiveMessage): number {
    return json.length;
  }

  probe(): boolean {
    if (!this.#answered) {
      this.#socket.terminate();
      return false;
    }
    this.#answered = false;
    // The socket may be closing; its end is told by its event.
    this.#socket.ping(undefined, undefined, () => undefined);
    return true;
  }

  close(reason: CloseReason): void {
    const { code, text } = closings[reason];
    this.#socket.close(code, text);
    const timer = setTimeout(() => this.#socket.terminate(), GOODBYE_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  onClosed(callback: () => void): void {
    this.#socket.once('close', callback);
  }
}

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export class EventStreamSink implements LiveSink {
  readonly transport = 'sse';
  readonly #response: ServerResponse;

  /** @param headers that the answer has besides its own */
  constructor(response: ServerResponse, headers: Record<string, string | string[]>) {
    this.#response = response;
    response.on('error', () => response.destroy());
    response.socket?.setKeepAlive(true, 15_000);
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // What was endless is over with its end; kept open, it would hold the server's own end up.
      connection: 'close',
      // Without it nginx gathers the events.
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${RETRY_MS}\n\n`);
  }

  write({ block }: LiveMessage, done: () => void): void {
    this.#response.write(block, () => done());
  }

  sizeOf({ block }: LiveMessage): number {
    return block.length;
  }

  /** There is nothing to answer: what stays unread is found by its age, and a dead peer by TCP. */
  probe(): boolean {
    return true;
  }

  close(reason: CloseReason): void {
    const data = {
      version: LIVE_VERSION,
      type: reason,
      at: new Date().toISOString(),
      detail: closings[reason].text,
    };
    // Without an id: the client's place stays where it was.
    this.#response.end(`event: ${reason}\ndata: ${JSON.stringify(data)}\n\n`);
    const timer = setTimeout(() => this.#response.destroy(), GOODBYE_MS);
    this.#response.once('close', () => clearTimeout(timer));
  }

  onClosed(callback: () => void): void {
    // Whoever went away while their key was looked up is not told of again.
    if (this.#response.closed) queueMicrotask(callback);
    else this.#response.once('close', callback);
  }
}
