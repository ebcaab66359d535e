import { setTimeout as delay } from 'node:timers/promises';
import {
  isAfter,
  lastLivePlace,
  LIVE_STREAM,
  liveEntriesOf,
  NOWHERE,
  readLive,
  type LiveEntry,
  type LivePlace,
} from '../../call/live/live-stream.ts';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Redis } from '../../platform/redis.ts';
import { withinMs } from '../../platform/time-limit.ts';

const BATCH = 500;
const BLOCK_MS = 2000;
/** A connection that is quiet for longer is dead, whatever TCP says. */
const DEAD_MS = 10_000;
const PAUSE_MS = 200;
const STOP_MS = 1000;

export type ReaderOptions = {
  /** An impatient client that nothing else uses: reading blocks it, and it is closed at the end. */
  redis: Redis;
  log: Log;
  /** Called with what is kept, before everything else; a failure has it called again, with all of it. */
  onKept: (entries: AsyncIterable<readonly LiveEntry[]>) => Promise<void>;
  /** Called when everything that is kept was handed over. */
  onReady: () => void;
  onEntries: (entries: readonly LiveEntry[]) => void;
  /** Called where Redis has lost the stream, and goes on at an earlier place. */
  onLost: () => void;
};

/** The one reader of the live stream in a process. Where Redis was away it goes on where it was. */
export class LiveReader {
  readonly #options: ReaderOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #place: LivePlace = NOWHERE;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Of the last entry that was handed over. */
  get place(): LivePlace {
    return this.#place;
  }

  /** Whether Redis has answered just now: what is told is what there is. */
  get isCurrent(): boolean {
    return performance.now() - this.#readAt < 2 * BLOCK_MS;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#options.redis.disconnect();
    await withinMs(STOP_MS, this.#running ?? Promise.resolve()).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let ready = false;
    let failures = 0;
    while (!signal.aborted) {
      try {
        // The client itself tells of a Redis that it cannot reach.
        if (this.#options.redis.status !== 'ready') await this.#pause();
        else if (ready) {
          await this.#next();
        } else {
          await this.#begin();
          ready = true;
        }
        failures = 0;
      } catch (thrown) {
        if (signal.aborted) return;
        // Once for each time that Redis is away.
        if (failures === 0) this.#options.log.warn({ err: asError(thrown) }, 'live events wait');
        failures += 1;
        await this.#pause();
      }
    }
  }

  async #pause(): Promise<void> {
    await delay(PAUSE_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  async #begin(): Promise<void> {
    const { redis, onKept, onReady } = this.#options;
    const last = await lastLivePlace(redis);
    await onKept(keptEntries(redis, last));
    this.#place = last;
    onReady();
  }

  async #next(): Promise<void> {
    const { redis, onEntries } = this.#options;
    const answer = await withinMs(
      DEAD_MS,
      redis.xread('COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', LIVE_STREAM, this.#place),
    ).catch((thrown: unknown) => {
      // What was asked stays unanswered; asking again over the same connection would, too. One that is being made is
      // left alone: broken off again and again it would never be there.
      if (!this.#stopping.signal.aborted && redis.status === 'ready') redis.disconnect(true);
      throw thrown;
    });
    this.#readAt = performance.now();
    const raw = answer?.[0]?.[1] ?? [];
    const last = raw.at(-1);
    if (!last) {
      await this.#checkPlace();
      return;
    }
    this.#place = last[0];
    onEntries(liveEntriesOf(raw));
  }

  /** A Redis that lost its data, on a machine whose clock is behind, gives places that are not after ours. */
  async #checkPlace(): Promise<void> {
    const last = await lastLivePlace(this.#options.redis);
    if (last === NOWHERE || !isAfter(this.#place, last)) return;
    this.#place = last;
    this.#options.log.warn({}, 'Redis has lost the live events');
    this.#options.onLost();
  }
}

async function* keptEntries(redis: Redis, until: LivePlace): AsyncGenerator<LiveEntry[]> {
  for (let after = NOWHERE; isAfter(until, after);) {
    const page = await readLive(redis, after, until, BATCH);
    if (page.length > 0) yield page;
    after = page.length < BATCH ? until : (page.at(-1)?.id ?? until);
  }
}
