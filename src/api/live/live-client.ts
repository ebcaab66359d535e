import type { Holder } from '../../access/key-ring.ts';
import { isAfter, type LivePlace } from '../../call/live/live-stream.ts';
import { lets, type LiveFilter, type LiveMessage } from './live-message.ts';
import type { CloseReason, LiveSink } from './live-sink.ts';

/** What may wait for one client to read. Messages are shared by all clients, so it seldom costs that much. */
export type LiveLimits = {
  bytes: number;
  messages: number;
  /** How long one message may wait. */
  ms: number;
};

export const LIVE_LIMITS: LiveLimits = { bytes: 1024 * 1024, messages: 2000, ms: 60_000 };

/** While a client catches up, no more than this is read for it ahead of what it takes. */
const AHEAD_BYTES = 64 * 1024;

/** One who watches: never waited for, and let go when too much waits for them. */
export class LiveClient {
  readonly holder: Pick<Holder, 'id'>;
  readonly #sink: LiveSink;
  readonly #filter: LiveFilter;
  readonly #limits: LiveLimits;
  readonly #onOverflow: () => void;
  /** Where it resumed: nothing up to here is sent again. */
  #place: LivePlace | undefined;
  #bytes = 0;
  /** When each message that waits was written. */
  readonly #waiting: number[] = [];
  #relieved: (() => void) | undefined;
  #closed = false;

  constructor(options: {
    sink: LiveSink;
    filter: LiveFilter;
    holder: Pick<Holder, 'id'>;
    limits: LiveLimits;
    /** Called when the client is let go because it reads too slowly. */
    onOverflow: () => void;
    onClosed: () => void;
  }) {
    this.#sink = options.sink;
    this.#filter = options.filter;
    this.#limits = options.limits;
    this.#onOverflow = options.onOverflow;
    this.holder = options.holder;
    options.sink.onClosed(() => {
      this.#closed = true;
      this.#relieved?.();
      options.onClosed();
    });
  }

  get transport(): LiveSink['transport'] {
    return this.#sink.transport;
  }
  get isClosed(): boolean {
    return this.#closed;
  }
  /** What waits to be read. */
  get pending(): { bytes: number; messages: number } {
    return { bytes: this.#bytes, messages: this.#waiting.length };
  }

  /** The client has everything up to here. */
  resumeAt(place: LivePlace): void {
    this.#place = place;
  }

  /** Returns at once, whatever the client does. */
  offer(message: LiveMessage): void {
    if (this.#closed || !lets(this.#filter, message)) return;
    if (this.#place !== undefined) {
      if (!isAfter(message.id, this.#place)) return;
      this.#place = undefined;
    }
    this.tell(message);
  }

  /** Sends what is for this client alone. */
  tell(message: LiveMessage): void {
    if (this.#closed) return;
    const size = this.#sink.sizeOf(message);
    const { bytes, messages } = this.#limits;
    if (this.#bytes + size > Math.max(bytes, size) || this.#waiting.length >= messages) {
      this.#overflow();
      return;
    }
    this.#bytes += size;
    this.#waiting.push(performance.now());
    this.#sink.write(message, () => {
      this.#bytes -= size;
      this.#waiting.shift();
      if (this.#bytes < AHEAD_BYTES) this.#relieved?.();
    });
  }

  /** Finds out whether the client is there and reads. */
  probe(): void {
    if (this.#closed) return;
    const [oldest] = this.#waiting;
    if (oldest !== undefined && performance.now() - oldest > this.#limits.ms) this.#overflow();
    else this.#sink.probe();
  }

  /** Resolves when the client has taken most of what was sent, or is gone. */
  async ready(): Promise<void> {
    if (this.#closed || this.#bytes < AHEAD_BYTES) return;
    await new Promise<void>((resolve) => {
      this.#relieved = resolve;
    });
    this.#relieved = undefined;
  }

  close(reason: CloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#relieved?.();
    this.#sink.close(reason);
  }

  #overflow(): void {
    this.close('overflow');
    this.#onOverflow();
  }
}
