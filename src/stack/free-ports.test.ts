import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isPortFree, takeFreePorts } from './free-ports.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('free ports', () => {
  it.each([1, 2, 3, 500])('are found for a range of %i, and none is given twice', async (width) => {
    const taken = new Set<number>();
    const first = await takeFreePorts(width, taken);
    const second = await takeFreePorts(width, taken);
    expect(taken.size).toBe(2 * width);
    expect(Math.abs(first - second)).toBeGreaterThanOrEqual(width);
  });

  it('are not those on which somebody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    expect(await isPortFree((server.address() as AddressInfo).port)).toBe(false);
  });
});
