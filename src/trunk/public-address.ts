import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** The address under which others reach this machine, and how we know. */
export type PublicAddress = { address: string; source: 'PUBLIC_IP' | 'interface' | 'STUN' };

const STUN_SERVERS = ['stun.l.google.com:19302', 'stun.cloudflare.com:3478'];
const STUN_TIMEOUT_MS = 1500;
const MAGIC_COOKIE = 0x2112a442;
const XOR_MAPPED_ADDRESS = 0x0020;

/**
 * PUBLIC_IP; without it a public address of an interface; without that, what a STUN server sees. Undefined
 * where none can be found.
 */
export async function findPublicAddress(
  configured: string | undefined,
): Promise<PublicAddress | undefined> {
  if (configured !== undefined) return { address: configured, source: 'PUBLIC_IP' };
  const local = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ address, family }) => family === 'IPv4' && !isPrivate(address));
  if (local) return { address: local.address, source: 'interface' };
  for (const server of STUN_SERVERS) {
    const address = await askStun(server, STUN_TIMEOUT_MS);
    if (address !== undefined) return { address, source: 'STUN' };
  }
  return undefined;
}

/** Whether nobody on the Internet can reach an address (RFC 6890: private, loopback, link-local, shared). */
export function isPrivate(address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return privateBlocks().check(address, family);
}

function privateBlocks(): BlockList {
  const blocks = new BlockList();
  for (const [network, bits] of [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ] as const) {
    blocks.addSubnet(network, bits, 'ipv4');
  }
  blocks.addAddress('::1', 'ipv6');
  blocks.addSubnet('fc00::', 7, 'ipv6');
  blocks.addSubnet('fe80::', 10, 'ipv6');
  return blocks;
}

/** One STUN binding request over UDP (RFC 8489). Undefined where no answer comes. */
export async function askStun(server: string, timeoutMs: number): Promise<string | undefined> {
  const [host = '', port = '3478'] = server.split(':');
  const transaction = randomBytes(12);
  const request = Buffer.alloc(20);
  request.writeUInt16BE(0x0001, 0);
  request.writeUInt32BE(MAGIC_COOKIE, 4);
  transaction.copy(request, 8);
  const socket = createSocket('udp4');
  try {
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), timeoutMs);
      timer.unref();
      socket.on('error', () => resolve(undefined));
      socket.on('message', (message) => {
        if (message.subarray(8, 20).equals(transaction)) resolve(mappedAddress(message));
      });
      socket.send(request, Number(port), host, (error) => {
        if (error) resolve(undefined);
      });
    });
  } finally {
    socket.close();
  }
}

/** XOR-MAPPED-ADDRESS of an IPv4 answer (RFC 8489, section 14.2). */
function mappedAddress(message: Buffer): string | undefined {
  let offset = 20;
  while (offset + 4 <= message.length) {
    const type = message.readUInt16BE(offset);
    const length = message.readUInt16BE(offset + 2);
    if (type === XOR_MAPPED_ADDRESS && length >= 8 && message[offset + 5] === 1) {
      const address = (message.readUInt32BE(offset + 8) ^ MAGIC_COOKIE) >>> 0;
      return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
    }
    offset += 4 + Math.ceil(length / 4) * 4;
  }
  return undefined;
}
