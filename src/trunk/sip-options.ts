import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { lookup } from 'node:dns/promises';
import { connect as connectTls } from 'node:tls';
import { asError } from '../platform/errors.ts';
import type { TrunkTransport } from './trunk.ts';

/** Whether a SIP server answered an OPTIONS, with any status: even a refusal shows that it lives. */
export type Pulse =
  | { answered: true; status: number; afterMs: number }
  | { answered: false; reason: string };

type Target = { host: string; port: number; transport: TrunkTransport };

/** First wait before a UDP request is repeated; it doubles each time (RFC 3261, section 17.1.2.1: T1). */
const T1_MS = 500;

/** Asks a SIP server for its capabilities (RFC 3261, section 11). Never rejects. */
export async function sendOptions(target: Target, timeoutMs: number): Promise<Pulse> {
  const started = performance.now();
  try {
    const address = isIP(target.host) === 0 ? (await lookup(target.host)).address : target.host;
    const exchange = target.transport === 'udp' ? exchangeByUdp : exchangeByStream;
    const answer = await exchange({ ...target, address }, timeoutMs);
    const status = /^SIP\/2\.0 (\d{3})/.exec(answer)?.[1];
    if (status === undefined) return { answered: false, reason: 'what answers does not speak SIP' };
    return { answered: true, status: Number(status), afterMs: performance.now() - started };
  } catch (thrown) {
    return { answered: false, reason: reasonOf(asError(thrown)) };
  }
}

type Resolved = Target & { address: string };

async function exchangeByUdp(target: Resolved, timeoutMs: number): Promise<string> {
  const socket = createSocket(isIP(target.address) === 6 ? 'udp6' : 'udp4');
  let repetition: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const failAfter = setTimeout(() => reject(new Silence()), timeoutMs);
      failAfter.unref();
      socket.on('error', reject);
      socket.on('message', (message) => resolve(message.toString('latin1')));
      // A connected socket learns from ICMP that nobody listens at the port.
      socket.connect(target.port, target.address, () => {
        const local = socket.address();
        const request = optionsRequest(target, local.address, local.port);
        const send = (waitMs: number) => {
          socket.send(request);
          repetition = setTimeout(send, waitMs, waitMs * 2);
        };
        send(T1_MS);
      });
    });
  } finally {
    clearTimeout(repetition);
    socket.close();
  }
}

async function exchangeByStream(target: Resolved, timeoutMs: number): Promise<string> {
  const { address, host, port, transport } = target;
  const socket: Socket =
    transport === 'tls'
      ? connectTls({ host: address, port, ...(isIP(host) === 0 ? { servername: host } : {}) })
      : connectTcp({ host: address, port });
  try {
    return await new Promise((resolve, reject) => {
      const failAfter = setTimeout(() => reject(new Silence()), timeoutMs);
      failAfter.unref();
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('it closed the connection without an answer')));
      socket.on('data', (data: Buffer) => resolve(data.toString('latin1')));
      socket.on(transport === 'tls' ? 'secureConnect' : 'connect', () => {
        socket.write(optionsRequest(target, socket.localAddress ?? '', socket.localPort ?? 0));
      });
    });
  } finally {
    socket.destroy();
  }
}

class Silence extends Error {}

function reasonOf(error: Error): string {
  if (error instanceof Silence) return 'no answer came';
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'nothing listens at its port';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name has no address';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'there is no route to it';
  return error.message;
}

function optionsRequest(target: Target, localAddress: string, localPort: number): string {
  const { host, port, transport } = target;
  const local = `${isIP(localAddress) === 6 ? `[${localAddress}]` : localAddress}:${localPort}`;
  const remote = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const token = () => randomBytes(8).toString('hex');
  return [
    `OPTIONS sip:${remote};transport=${transport} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${local};rport;branch=z9hG4bK${token()}`,
    'Max-Forwards: 70',
    `From: <sip:trunkline@${local}>;tag=${token()}`,
    `To: <sip:${remote}>`,
    `Call-ID: ${token()}@trunkline`,
    'CSeq: 1 OPTIONS',
    `Contact: <sip:trunkline@${local};transport=${transport}>`,
    'Accept: application/sdp',
    'User-Agent: Trunkline',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}
