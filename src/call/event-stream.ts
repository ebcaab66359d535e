import type { Redis } from '../platform/redis.ts';
import {
  callEvent,
  callEventSchema,
  type CallEvent,
  type CallEventOf,
  type CallEventType,
} from './call-event.ts';

/** The one stream through which all changes of all calls go to the ledger. */
export const EVENT_STREAM = 'trunkline:events';

/** The oldest entries go beyond this many, whether the ledger has them or not: it reads far faster than calls happen. */
const STREAM_LENGTH = 100_000;

/** Writes call events to the stream. */
export class EventPublisher {
  readonly #redis: Redis;
  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Resolves when Redis has the event. */
  async publish<T extends CallEventType>(
    type: T,
    call: CallEvent['call'],
    data: CallEventOf<T>['data'],
  ): Promise<void> {
    await this.send(callEvent(type, call, data));
  }

  async send(event: CallEvent): Promise<void> {
    const entry = JSON.stringify(event);
    await this.#redis.xadd(EVENT_STREAM, 'MAXLEN', '~', STREAM_LENGTH, '*', 'event', entry);
  }
}

/**
 * The event of one stream entry.
 * @throws ZodError where it is not one that this version knows.
 */
export function parseStreamEntry(fields: readonly string[]): CallEvent {
  const index = fields.indexOf('event');
  return callEventSchema.parse(JSON.parse(fields[index + 1] ?? 'null'));
}
