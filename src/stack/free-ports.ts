import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { asError } from '../platform/errors.ts';

const HOST = '127.0.0.1';

/** Whether nobody listens on a TCP and UDP port of this machine. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await isTcpFree(port)) && (await isUdpFree(port));
}

/**
 * Ports that were free a moment ago, above the ephemeral range's usual start so that outgoing connections
 * seldom take them. `width` asks for that many neighbours (a range for RTP).
 * @throws Error when none is found.
 */
export async function takeFreePorts(width: number, taken: Set<number>): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const first = 12_000 + 2 * Math.floor(Math.random() * 9_500);
    const range = Array.from({ length: width }, (_, index) => first + index);
    if (range.some((port) => taken.has(port))) continue;
    // A range of RTP is bound only while calls run: its ends and middle stand for all of it.
    const samples = [...new Set([first, first + (width >> 1), first + width - 1])];
    const free = await Promise.all(samples.map((port) => isPortFree(port)));
    if (!free.every(Boolean)) continue;
    for (const port of range) taken.add(port);
    return first;
  }
  throw new Error(`no ${width} free ports were found on ${HOST}`);
}

async function isTcpFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: HOST, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch (thrown) {
    return refusedOnly(thrown);
  } finally {
    server.close();
  }
}

async function isUdpFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ port, address: HOST, exclusive: true });
    await once(socket, 'listening');
    return true;
  } catch (thrown) {
    return refusedOnly(thrown);
  } finally {
    socket.close();
  }
}

/** False for a port in use or forbidden; anything else is a fault of the machine and is thrown. */
function refusedOnly(thrown: unknown): false {
  const { code } = asError(thrown) as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE' || code === 'EACCES') return false;
  throw asError(thrown);
}
