import type { CallEventOf, CallEventType } from '../call/call-event.ts';
import type { CallId } from '../call/call-id.ts';
import type { EventPublisher } from '../call/event-stream.ts';
import type { CallEnd } from '../call/outcome.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';

/** Where a disk or the framework takes longer than the end of a call can wait for. */
const MAY_BE_LATE: ReadonlySet<CallEventType> = new Set(['call.recorded', 'call.usage']);

/**
 * The events of one call, published in the order in which they are written, whatever Redis does meanwhile.
 * `call.ended` is the last: what is written after it is dropped, and a second end is too. Only what cannot
 * be known sooner may come after it.
 */
export class CallJournal {
  readonly #call: CallId;
  readonly #events: Pick<EventPublisher, 'publish'>;
  readonly #log: Log;
  #tail: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(call: CallId, events: Pick<EventPublisher, 'publish'>, log: Log) {
    this.#call = call;
    this.#events = events;
    this.#log = log;
  }

  /** Returns at once; the event goes out when all before it have. */
  write<T extends Exclude<CallEventType, 'call.ended'>>(
    type: T,
    data: CallEventOf<T>['data'],
  ): void {
    if (this.#ended && !MAY_BE_LATE.has(type)) return;
    this.#append(type, data);
  }

  /** Resolves when the end, and everything before it, has reached Redis or failed for good. */
  async end(end: CallEnd): Promise<void> {
    if (!this.#ended) {
      this.#ended = true;
      this.#append('call.ended', end);
    }
    await this.#tail;
  }

  /** Resolves when everything written so far has gone out. */
  async flushed(): Promise<void> {
    await this.#tail;
  }

  #append<T extends CallEventType>(type: T, data: CallEventOf<T>['data']): void {
    this.#tail = this.#tail
      .then(() => this.#events.publish(type, this.#call, data))
      .catch((thrown: unknown) => {
        this.#log.error(
          { err: asError(thrown), call: this.#call, event: type },
          'could not publish an event',
        );
      });
  }
}
