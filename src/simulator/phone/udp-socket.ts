import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { OperatorError } from '../../platform/errors.ts';
import type { Peer } from './sip-address.ts';

/**
 * A UDP socket that talks only to permitted hosts: datagrams from others are dropped, and sending to
 * others throws. The simulated phone must never reach a real network by a slip in a number or an address.
 */
export class UdpSocket {
  readonly host: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #allowed: ReadonlySet<string>;
  #closed = false;

  private constructor(socket: Socket, host: string, allowedHosts: readonly string[]) {
    this.#socket = socket;
    this.host = host;
    this.port = socket.address().port;
    this.#allowed = new Set(allowedHosts);
  }

  /**
   * @param options.port 0 lets the system choose.
   * @throws {OperatorError} where the port is taken.
   */
  static async open(options: {
    host: string;
    port: number;
    allowedHosts: readonly string[];
    onDatagram: (datagram: Buffer, from: Peer) => void;
  }): Promise<UdpSocket> {
    const { host, port, allowedHosts, onDatagram } = options;
    const socket = createSocket('udp4');
    socket.bind(port, host);
    try {
      await once(socket, 'listening');
    } catch (thrown) {
      socket.close();
      throw new OperatorError(`UDP port ${port} of ${host} cannot be used`, {
        remedy: 'Stop what listens there, or set SIMULATOR_SIP_ADDRESS to a free port.',
        cause: thrown,
      });
    }
    const opened = new UdpSocket(socket, host, allowedHosts);
    // ICMP "port unreachable" of an earlier datagram comes as an error here; time-outs deal with it.
    socket.on('error', () => {});
    socket.on('message', (datagram, { address, port: fromPort }) => {
      const from = { host: address, port: fromPort };
      if (opened.permits(from)) onDatagram(datagram, from);
    });
    return opened;
  }

  permits(peer: Peer): boolean {
    return this.#allowed.has(peer.host) && peer.port > 0 && peer.port < 65_536;
  }

  /** @throws {OperatorError} where the peer is not permitted. */
  mustPermit(peer: Peer): void {
    if (this.permits(peer)) return;
    throw new OperatorError('the simulated phone may not send to this address', {
      remedy: 'It reaches only the hosts it was opened for, the loopback interface by default.',
    });
  }

  /** @throws {OperatorError} where the peer is not permitted. */
  send(datagram: Buffer, to: Peer): void {
    if (this.#closed) return;
    this.mustPermit(to);
    this.#socket.send(datagram, to.port, to.host, () => {});
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
