/** Where rtc-node keeps its one client of the native code. */
const FFI_CLIENT = '_ffiClientInstance';
type FfiClient = { listenerCount: (event: 'ffi_event') => number };

/** What a process holds open, by kind. All calls together; at rest as many as before the first. */
export type OpenResources = {
  /** Those that keep the process alive: a timer that was let go of by `unref` does not count. */
  timers: number;
  /** Connections that are in use, ours to Redis included; those kept for the next request to a vendor are not. */
  sockets: number;
  /** Listeners at the native code: one for each room, stream of sound, and request under way. */
  native_listeners: number;
};

export function openResources(): OpenResources {
  const active = process.getActiveResourcesInfo();
  const count = (kind: string) => active.filter((one) => one === kind).length;
  const client = Reflect.get(globalThis, FFI_CLIENT) as FfiClient | undefined;
  return {
    timers: count('Timeout'),
    sockets: count('TCPSocketWrap') + count('UDPWrap'),
    native_listeners: client?.listenerCount('ffi_event') ?? 0,
  };
}
