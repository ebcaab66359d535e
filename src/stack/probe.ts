import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether a part answers now; never throws. */
export type Probe = () => Promise<boolean>;

const PROBE_LIMIT_MS = 2000;

/** `GET` answers with a status below 500. */
export function httpProbe(url: string): Probe {
  return async () => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
      await response.arrayBuffer();
      return response.status < 500;
    } catch {
      return false;
    }
  };
}

/** Redis answers PING, and has loaded what it keeps. */
export function redisProbe(port: number): Probe {
  return async () => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(PROBE_LIMIT_MS, () => socket.destroy(new Error('time-out')));
    try {
      await once(socket, 'connect');
      socket.write('PING\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString().startsWith('+PONG');
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  };
}

/** Asks until the probe says yes. Resolves to false when `limitMs` has passed or the signal aborts. */
export async function waitUntilReady(
  probe: Probe,
  limitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline && !signal.aborted) {
    if (await probe()) return true;
    await delay(100);
  }
  return false;
}
