import { once } from 'node:events';
import {
  JobType,
  ParticipantPermission,
  RegisterWorkerRequest,
  ServerMessage,
  WorkerMessage,
  WorkerPing,
} from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import { WebSocket } from 'ws';

/** Longest time for the WebSocket's handshake, and for the server's word that this worker is registered. */
const OPEN_MS = 5000;
const PING_MS = 2000;
/** A connection on which so many pings in a row were not answered is dead, whatever TCP thinks. */
const PINGS_UNANSWERED = 3;

export type SocketOptions = {
  /** livekit-server, ws:// or wss://. */
  url: string;
  apiKey: string;
  apiSecret: string;
  agentName: string;
  /** Default: 2 s. */
  pingMs?: number;
  onMessage: (message: ServerMessage['message']) => void;
};

export type OutgoingMessage = WorkerMessage['message'];

/**
 * One registered connection to livekit-server's `/agent`, which speaks `WorkerMessage` and `ServerMessage` of
 * livekit_agent.proto. Pings are messages of that protocol, so they also find a server that holds the
 * connection and does not work.
 */
export class AgentSocket {
  readonly #socket: WebSocket;
  readonly #pinging: NodeJS.Timeout;
  #unanswered = 0;

  private constructor(socket: WebSocket, pingMs: number = PING_MS) {
    this.#socket = socket;
    // By count and not by the clock: a process that was stopped itself must not blame the server.
    this.#pinging = setInterval(() => this.#ping(), pingMs);
    socket.once('close', () => clearInterval(this.#pinging));
  }

  /**
   * Connects and registers.
   * @throws where the server is away, refuses the key, or does not answer within 5 s
   */
  static async open(options: SocketOptions): Promise<AgentSocket> {
    const token = new AccessToken(options.apiKey, options.apiSecret);
    token.addGrant({ agent: true });
    const socket = new WebSocket(new URL('agent', `${options.url.replace(/\/$/, '')}/`), {
      headers: { authorization: `Bearer ${await token.toJwt()}` },
      handshakeTimeout: OPEN_MS,
    });
    // What goes wrong is told by `close`.
    socket.on('error', () => undefined);
    const registered = Promise.withResolvers<AgentSocket>();
    const limit = setTimeout(() => registered.reject(new Error('no answer in time')), OPEN_MS);
    socket.once('open', () => {
      const link = new AgentSocket(socket, options.pingMs);
      // From the first message on: the next one may be in the same packet.
      socket.on('message', (data: Buffer) => {
        const { message } = ServerMessage.fromBinary(data);
        if (message.case === 'register') registered.resolve(link);
        else if (message.case === 'pong') link.#unanswered = 0;
        else options.onMessage(message);
      });
      link.send({ case: 'register', value: registration(options.agentName) });
    });
    socket.once('error', registered.reject);
    socket.once('close', () => registered.reject(new Error('the server closed the connection')));
    try {
      return await registered.promise;
    } catch (thrown) {
      socket.terminate();
      throw thrown;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Resolves when the connection is no more. */
  async closed(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    await once(this.#socket, 'close');
  }

  /** What is sent over a connection that is just ending is lost. */
  send(message: OutgoingMessage): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(new WorkerMessage({ message }).toBinary());
  }

  close(): void {
    this.#socket.close();
    // The server may be gone, and would never answer.
    setTimeout(() => this.#socket.terminate(), 500).unref();
  }

  #ping(): void {
    if (this.#unanswered >= PINGS_UNANSWERED) {
      this.#socket.terminate();
      return;
    }
    this.#unanswered += 1;
    this.send({ case: 'ping', value: new WorkerPing({ timestamp: BigInt(Date.now()) }) });
  }
}

function registration(agentName: string): RegisterWorkerRequest {
  const allowedPermissions = new ParticipantPermission({
    canPublish: true,
    canSubscribe: true,
    canPublishData: true,
    // The agent tells by an attribute of its own that it is ready.
    canUpdateMetadata: true,
    agent: true,
  });
  return new RegisterWorkerRequest({
    type: JobType.JT_ROOM,
    agentName,
    version: 'trunkline',
    allowedPermissions,
  });
}
