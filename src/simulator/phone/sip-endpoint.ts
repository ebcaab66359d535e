import { randomBytes } from 'node:crypto';
import { ClientTransaction, type ClientHandlers } from './client-transaction.ts';
import { ServerTransaction } from './server-transaction.ts';
import { parameterOf, type Peer } from './sip-address.ts';
import {
  SipSyntaxError,
  cseqOf,
  isRequest,
  parseMessage,
  serialise,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from './sip-message.ts';
import type { SipTiming } from './sip-timing.ts';
import type { TimerSet } from './timer-set.ts';
import { UdpSocket } from './udp-socket.ts';

export type EndpointHandlers = {
  /** A new request, neither ACK nor CANCEL. */
  onRequest: (transaction: ServerTransaction) => void;
  /** An ACK to a 2xx: it belongs to a dialog, not to a transaction. */
  onAck: (ack: SipRequest) => void;
};

/** One UDP socket with the transactions on it: matches, repeats and answers as RFC 3261, section 17, says. */
export class SipEndpoint {
  readonly #handlers: EndpointHandlers;
  readonly #timing: SipTiming;
  readonly #timers: TimerSet;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  #socket: UdpSocket | undefined;
  #malformed = 0;

  private constructor(handlers: EndpointHandlers, timing: SipTiming, timers: TimerSet) {
    this.#handlers = handlers;
    this.#timing = timing;
    this.#timers = timers;
  }

  static async open(options: {
    host: string;
    port: number;
    allowedHosts: readonly string[];
    timing: SipTiming;
    timers: TimerSet;
    handlers: EndpointHandlers;
  }): Promise<SipEndpoint> {
    const { host, port, allowedHosts, timing, timers, handlers } = options;
    const endpoint = new SipEndpoint(handlers, timing, timers);
    endpoint.#socket = await UdpSocket.open({
      host,
      port,
      allowedHosts,
      onDatagram: (datagram, from) => endpoint.#receive(datagram, from),
    });
    return endpoint;
  }

  get host(): string {
    return this.#socket?.host ?? '';
  }

  get port(): number {
    return this.#socket?.port ?? 0;
  }

  /** Transactions that are not over, and datagrams that were no SIP. */
  get counts(): { transactions: number; malformed: number } {
    return { transactions: this.#clients.size + this.#servers.size, malformed: this.#malformed };
  }

  /** Whether this endpoint may send to a peer. */
  permits(peer: Peer): boolean {
    return this.#socket?.permits(peer) ?? false;
  }

  /** @throws {OperatorError} where it may not send to a peer. */
  mustPermit(peer: Peer): void {
    this.#socket?.mustPermit(peer);
  }

  /** Sends a request in a transaction of its own, with a Via of its own. */
  request(request: SipRequest, to: Peer, handlers: ClientHandlers): ClientTransaction {
    request.headers.set('via', this.#via());
    return this.#begin(request, to, handlers);
  }

  /** Cancels an INVITE: same branch, same CSeq number (section 9.1). */
  cancel(invite: SipRequest, cancel: SipRequest, to: Peer): void {
    cancel.headers.set('via', invite.headers.list('via')[0] ?? '');
    this.#begin(cancel, to, { onResponse: () => {} });
  }

  /** Sends the ACK to a 2xx, which has no transaction. */
  acknowledge(ack: SipRequest, to: Peer): void {
    ack.headers.set('via', this.#via());
    this.#send(ack, to);
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) client.end();
    for (const server of this.#servers.values()) server.end();
    await this.#socket?.close();
  }

  #begin(request: SipRequest, to: Peer, handlers: ClientHandlers): ClientTransaction {
    const key = clientKey(request);
    const transaction = new ClientTransaction(request, handlers, {
      send: (message) => this.#send(message, to),
      timers: this.#timers,
      timing: this.#timing,
      done: () => this.#clients.delete(key),
    });
    this.#clients.set(key, transaction);
    return transaction;
  }

  #receive(datagram: Buffer, from: Peer): void {
    // Peers keep the path open with empty datagrams and line ends (RFC 5626, section 3.5.1).
    if (datagram.length <= 4) return;
    let message: SipMessage;
    try {
      message = parseMessage(datagram);
    } catch (thrown) {
      if (!(thrown instanceof SipSyntaxError)) throw thrown;
      this.#malformed++;
      return;
    }
    if (isRequest(message)) this.#receiveRequest(message, from);
    else this.#clients.get(clientKey(message))?.receive(message);
  }

  #receiveRequest(request: SipRequest, from: Peer): void {
    if (request.method === 'ACK') {
      const invite = this.#servers.get(serverKey(request, 'INVITE'));
      if (invite) invite.acknowledge(request);
      else this.#handlers.onAck(request);
      return;
    }
    const key = serverKey(request, request.method);
    const known = this.#servers.get(key);
    if (known) {
      known.repeat();
      return;
    }
    const transaction = new ServerTransaction(request, from, {
      send: (response) => this.#reply(response, from),
      timers: this.#timers,
      timing: this.#timing,
      done: () => this.#servers.delete(key),
    });
    this.#servers.set(key, transaction);
    if (request.method === 'CANCEL') this.#receiveCancel(transaction);
    else this.#handlers.onRequest(transaction);
  }

  #receiveCancel(transaction: ServerTransaction): void {
    const invite = this.#servers.get(serverKey(transaction.request, 'INVITE'));
    if (invite?.silent) transaction.end();
    else transaction.respond(invite ? 200 : 481);
    if (invite && !invite.answered) invite.onCancel?.();
  }

  #reply(response: SipResponse, to: Peer): void {
    // To where the request came from, whatever its Via says: RFC 3581, and safe on one host.
    this.#send(response, to);
  }

  #send(message: SipMessage, to: Peer): void {
    this.#socket?.send(serialise(message), to);
  }

  #via(): string {
    const branch = `z9hG4bK${randomBytes(8).toString('hex')}`;
    return `SIP/2.0/UDP ${this.host}:${this.port};branch=${branch};rport`;
  }
}

function clientKey(message: SipMessage): string {
  return `${branchOf(message)} ${cseqOf(message).method}`;
}

function serverKey(request: SipRequest, method: string): string {
  const [via = ''] = request.headers.list('via');
  const sentBy = via.split(';')[0] ?? '';
  return `${branchOf(request)} ${sentBy} ${method}`;
}

function branchOf(message: SipMessage): string {
  return parameterOf(message.headers.list('via')[0] ?? '', 'branch') ?? '';
}
