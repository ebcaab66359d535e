import type { Redis } from '../../platform/redis.ts';
import type { LiveBody } from './live-event.ts';
import { LIVE_LENGTH, LIVE_STREAM, liveFields } from './live-stream.ts';

/** More than Redis has answered is not sent: it is slow or away, and what is said now is soon worth nothing. */
const MOST_UNANSWERED = 50;

/**
 * Tells whoever watches what is of the moment: it holds nothing up, and is dropped where Redis is away or slow.
 * What belongs on record goes through `EventPublisher`.
 */
export class LivePublisher {
  readonly #redis: Redis;
  #unanswered = 0;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  send(body: LiveBody): void {
    if (this.#redis.status !== 'ready' || this.#unanswered >= MOST_UNANSWERED) return;
    this.#unanswered += 1;
    const settled = () => {
      this.#unanswered -= 1;
    };
    this.#redis
      .xadd(LIVE_STREAM, 'MAXLEN', '~', LIVE_LENGTH, '*', ...liveFields(body))
      .then(settled, settled);
  }
}
