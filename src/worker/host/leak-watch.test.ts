import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { AudioSource } from '@livekit/rtc-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallRoom } from './call-room.ts';
import { LEAK_TIMES, LeakWatch } from './leak-watch.ts';
import { openResources, type OpenResources } from './open-resources.ts';

describe('LeakWatch', () => {
  const leaked = vi.fn<(kind: string) => void>();
  let open: OpenResources;
  let calls: number;
  let watch: LeakWatch;

  beforeEach(() => {
    vi.useFakeTimers();
    open = { timers: 4, sockets: 2, native_listeners: 0 };
    calls = 0;
    watch = new LeakWatch({ count: () => ({ ...open }), calls: () => calls, onLeak: leaked });
  });
  afterEach(() => {
    watch.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    vi.clearAllMocks();
  });

  const looks = (count: number) => vi.advanceTimersByTime(count * LEAK_TIMES.lookMs);

  it('has nothing to say of calls that come and go, and take with them what they had', () => {
    for (let minute = 0; minute < 60; minute += 1) {
      calls = minute % 26;
      open = { timers: 4 + 9 * calls, sockets: 3 + 4 * calls, native_listeners: 6 * calls };
      looks(6);
    }
    expect(leaked).not.toHaveBeenCalled();
  });

  it.each(['timers', 'sockets', 'native_listeners'] as const)(
    'finds one of the %s that each call leaves, though calls never cease',
    (kind) => {
      calls = 2;
      let after = 0;
      while (leaked.mock.calls.length === 0 && after < 1000) {
        after += 1;
        open[kind] += 1;
        looks(1);
      }
      expect(leaked.mock.calls).toEqual([[kind]]);
      expect(after).toBeLessThan(100);
      open[kind] += 100;
      looks(10);
      expect(leaked).toHaveBeenCalledOnce();
    },
  );

  it('waits for what is still being closed', () => {
    open.timers = 500;
    looks(LEAK_TIMES.looks - 1);
    open.timers = 4;
    looks(20);
    expect(leaked).not.toHaveBeenCalled();
  });
});

describe('openResources', () => {
  it('counts timers, sockets and listeners at the native code while they are there', async () => {
    const source = new AudioSource(48_000, 1);
    const before = openResources();
    const timer = setTimeout(() => undefined, 60_000);
    expect(openResources().timers).toBe(before.timers + 1);
    clearTimeout(timer);

    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [other] = await accepted;
    expect(openResources().sockets).toBe(before.sockets + 2);
    const closed = Promise.all([
      once(socket, 'close'),
      once(other, 'close'),
      once(server, 'close'),
    ]);
    socket.destroy();
    server.close();
    await closed;

    const room = new CallRoom();
    await expect(
      room.connect('ws://127.0.0.1:1', 'none', { autoSubscribe: true, dynacast: false }),
    ).rejects.toThrow();
    await room.leave();
    await source.close();
    // Timers of the test itself come and go.
    const { sockets, native_listeners } = before;
    const rest = { sockets, native_listeners };
    await vi.waitFor(() => expect(openResources()).toMatchObject(rest), { timeout: 30_000 });
  });
});
