import { AsyncLocalStorage } from 'node:async_hooks';
import { Room } from '@livekit/rtc-node';
import { within } from '../within.ts';

/** Longest wait for livekit-server to let the agent go; some 20 ms are usual. */
const LEAVE_MS = 3000;

/** What rtc-node (0.13.34) keeps to itself, or does not take off: `room.ts`, `ffi_client.ts`. */
type Internals = {
  onFfiEvent: (event: { message: { case?: string } }) => unknown;
  emit: (...args: unknown[]) => boolean;
};
/** Where rtc-node keeps its one client of the native code. */
const FFI_CLIENT = '_ffiClientInstance';
type FfiClient = { off: (event: 'ffi_event', listener: unknown) => void };

/**
 * The room of one call among many in the process. Other than rtc-node's:
 *
 * - Its listeners run in the context in which the room was made. Events come from native code, outside every
 *   call, so that by default nothing in them would know its call.
 * - It looks only at events of rooms. Each room is told of every event of the process, also of each frame of
 *   sound of each other call, and takes a lock and three promises to find that it is not meant.
 * - Left, it hears nothing any more. Where the server ended the room, rtc-node leaves its listener in place for
 *   good, and with it the room.
 */
export class CallRoom extends Room {
  readonly #listener: Internals['onFfiEvent'];

  constructor() {
    super();
    const internals = this as unknown as Internals;
    const inContext = AsyncLocalStorage.snapshot();
    const emit = internals.emit.bind(this);
    internals.emit = (...args) => inContext(() => emit(...args));
    const onFfiEvent = internals.onFfiEvent;
    this.#listener = (event) => {
      const kind = event.message.case;
      return kind === 'roomEvent' || kind === 'rpcMethodInvocation' ? onFfiEvent(event) : undefined;
    };
    internals.onFfiEvent = this.#listener;
  }

  /** Leaves the room, where it is still in it, and takes every listener off. */
  async leave(): Promise<void> {
    await within(this.disconnect(), LEAVE_MS);
    const client: unknown = Reflect.get(globalThis, FFI_CLIENT);
    (client as FfiClient | undefined)?.off('ffi_event', this.#listener);
    this.removeAllListeners();
  }
}
