import {
  callEvent,
  type CallEvent,
  type CallEventOf,
  type CallEventType,
} from '../call/call-event.ts';
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
  readonly #events: Pick<EventPublisher, 'send'>;
  readonly #log: Log;
  #tail: Promise<void> = Promise.resolve();
  #ended = false;
  readonly #abandoned = new AbortController();
  readonly #agent: string | undefined;

  /** @param agent that attends the call: when another one does, nothing of this one goes out any more */
  constructor(call: CallId, events: Pick<EventPublisher, 'send'>, log: Log, agent?: string) {
    this.#call = call;
    this.#agent = agent;
    this.#events = events;
    this.#log = log;
  }

  /** Returns at once; the event goes out when all before it have. */
  write<T extends Exclude<CallEventType, 'call.ended'>>(
    type: T,
    data: CallEventOf<T>['data'],
  ): void {
    this.send(callEvent(type, this.#call, data));
  }

  /**
   * The same for an event that is made already.
   *
   * @param onSent called when Redis has it
   */
  send(event: Exclude<CallEvent, { type: 'call.ended' }>, onSent?: () => void): void {
    if (this.#ended && !MAY_BE_LATE.has(event.type)) return;
    this.#append(event, onSent);
  }

  /** Another agent has the call and tells the rest of it: what has not gone out yet is dropped. */
  abandon(): void {
    this.#abandoned.abort();
  }

  /** Aborted where another agent has the call. */
  get abandoned(): AbortSignal {
    return this.#abandoned.signal;
  }

  /** Resolves when the end, and everything before it, has reached Redis or failed for good. */
  async end(end: CallEnd): Promise<void> {
    if (!this.#ended) {
      this.#ended = true;
      this.#append(callEvent('call.ended', this.#call, end));
    }
    await this.#tail;
  }

  /** Resolves when everything written so far has gone out. */
  async flushed(): Promise<void> {
    await this.#tail;
  }

  #append(event: CallEvent, onSent?: () => void): void {
    this.#tail = this.#tail
      .then(() => this.#publish(event, onSent))
      .catch((thrown: unknown) => {
        this.#log.error(
          { err: asError(thrown), call: this.#call, event: event.type },
          'could not publish an event',
        );
      });
  }

  async #publish(event: CallEvent, onSent: (() => void) | undefined): Promise<void> {
    if (this.abandoned.aborted) return;
    if (await this.#events.send(event, undefined, this.#agent)) onSent?.();
    else this.abandon();
  }
}
