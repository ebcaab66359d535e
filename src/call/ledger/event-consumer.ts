import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ZodError } from 'zod';
import type { Database } from '../../platform/database.ts';
import { refusesData, withoutValues } from '../../platform/database-failure.ts';
import type { Log } from '../../platform/log.ts';
import type { Redis } from '../../platform/redis.ts';
import type { TrunkEvent } from '../../trunk/trunk-event.ts';
import type { CallEvent } from '../call-event.ts';
import { EVENT_STREAM, parseStreamEntry } from '../event-stream.ts';
import { trunkEventIn } from '../trunk-entries.ts';
import { AlongsideFailure, recordEvents, type Alongside, type Applied } from './record-events.ts';
import { StreamGroup, type StreamEntry } from './stream-group.ts';

export { REJECTED_STREAM } from './stream-group.ts';

/** The consumer group through which all apis share the stream. */
export const LEDGER_GROUP = 'ledger';

const BATCH = 200;
const BLOCK_MS = 500;
const CLAIM_EVERY_MS = 5000;
const CLAIM_IDLE_MS = 10_000;
const BACKOFF_MS = { first: 100, most: 5000 };
const DRAIN_LIMIT_MS = 5000;
const REDIS_AWAY_LIMIT_MS = 500;

export type ConsumerOptions = {
  db: Database;
  /** A patient client that nothing else uses: the consumer blocks it, and closes it when it stops. */
  redis: Redis;
  log: Log;
  /** What else is written in the transaction of the events. */
  alongside?: Alongside;
  /** Writes down what happened to trunks; an event may come again. Absent: nobody wants to know. */
  recordTrunks?: (events: readonly TrunkEvent[]) => Promise<void>;
  /** Called with what was applied, after the commit. */
  onApplied?: (applied: readonly Applied[]) => void;
  onRejected?: () => void;
  /** How long an entry may stay unacknowledged before another consumer takes it over. */
  claimIdleMs?: number;
  claimEveryMs?: number;
};

/**
 * Carries the events of all calls from the stream into the ledger. A batch is written in one transaction and
 * acknowledged after the commit, so a consumer that dies in between leaves its entries pending: another one
 * claims them, and events that had been written change nothing. While the database is away it waits; an
 * entry that can never be written is put aside, so that it blocks no other.
 */
export class EventConsumer {
  readonly #options: ConsumerOptions;
  readonly #group: StreamGroup;
  readonly #stopping = new AbortController();
  #claimAt = 0;
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#group = new StreamGroup(options.redis, {
      stream: EVENT_STREAM,
      group: LEDGER_GROUP,
      consumer: `api-${process.pid}-${randomUUID().slice(0, 8)}`,
    });
  }

  /** What keeps the events from the ledger now, for people; undefined while all goes well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Takes what is still in the stream, within limits, and ends. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #drain(): Promise<void> {
    this.#stopping.abort();
    const limitMs = this.#options.redis.status === 'ready' ? DRAIN_LIMIT_MS : REDIS_AWAY_LIMIT_MS;
    const ended = this.#running ?? Promise.resolve();
    const limit = new AbortController();
    await Promise.race([
      ended,
      delay(limitMs, undefined, { signal: limit.signal }).catch(() => undefined),
    ]);
    limit.abort();
    // What waits for a Redis that is away is never answered, and need not be waited for.
    this.#options.redis.disconnect();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    for (;;) {
      try {
        const entries = await this.#next();
        if (entries.length > 0) await this.#take(entries);
        else if (signal.aborted) return;
        failures = 0;
        this.#problem = undefined;
      } catch (thrown) {
        if (signal.aborted) return;
        this.#problem = 'The events of calls do not reach the ledger.';
        this.#options.log.warn(
          { err: withoutValues(thrown), failures },
          'events wait for the ledger',
        );
        await this.#pause(failures);
        failures += 1;
      }
    }
  }

  async #next(): Promise<StreamEntry[]> {
    const now = Date.now();
    if (now >= this.#claimAt) {
      this.#claimAt = now + (this.#options.claimEveryMs ?? CLAIM_EVERY_MS);
      const claimed = await this.#group.claim(this.#options.claimIdleMs ?? CLAIM_IDLE_MS, BATCH);
      if (claimed.length > 0) {
        // There may be more than one batch of them.
        this.#claimAt = 0;
        this.#options.log.info({ entries: claimed.length }, 'claimed entries of a lost consumer');
        return claimed;
      }
      await this.#group.forgetIdleConsumers();
    }
    return this.#group.read(BATCH, this.#stopping.signal.aborted ? undefined : BLOCK_MS);
  }

  /** Writes the entries, however long the database is away, and acknowledges them. */
  async #take(entries: readonly StreamEntry[]): Promise<void> {
    const events: CallEvent[] = [];
    const good: StreamEntry[] = [];
    for (const entry of entries) {
      try {
        const trunkEvent = trunkEventIn(entry.fields);
        if (trunkEvent) {
          await this.#recordTrunk(trunkEvent);
          await this.#group.acknowledge([entry.id]);
          continue;
        }
        events.push(parseStreamEntry(entry.fields));
        good.push(entry);
      } catch (thrown) {
        if (!cannotBeWritten(thrown) && !isUnreadable(thrown)) throw thrown;
        await this.#reject(entry, thrown);
      }
    }
    if (events.length === 0) return;
    try {
      await this.#record(events);
    } catch (thrown) {
      if (!cannotBeWritten(thrown)) throw thrown;
      await this.#takeOneByOne(good, events);
      return;
    }
    await this.#group.acknowledge(good.map(({ id }) => id));
  }

  /** One of them poisons the batch: the others are written without it. */
  async #takeOneByOne(
    entries: readonly StreamEntry[],
    events: readonly CallEvent[],
  ): Promise<void> {
    for (const [index, entry] of entries.entries()) {
      try {
        await this.#record(events.slice(index, index + 1));
        await this.#group.acknowledge([entry.id]);
      } catch (thrown) {
        if (!cannotBeWritten(thrown)) throw thrown;
        await this.#reject(entry, thrown);
      }
    }
  }

  async #record(events: readonly CallEvent[]): Promise<void> {
    await this.#persist(async () => {
      const applied = await recordEvents(this.#options.db, events, this.#options.alongside);
      this.#options.onApplied?.(applied);
    });
  }

  async #recordTrunk(event: TrunkEvent): Promise<void> {
    await this.#persist(async () => this.#options.recordTrunks?.([event]));
  }

  /** Writes, however long the database is away. */
  async #persist(write: () => Promise<void>): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      try {
        await write();
        return;
      } catch (thrown) {
        if (cannotBeWritten(thrown) || this.#stopping.signal.aborted) throw thrown;
        this.#problem = 'The database does not take the events of calls.';
        this.#options.log.warn({ err: withoutValues(thrown), failures }, 'could not write events');
        await this.#pause(failures);
      }
    }
  }

  async #reject(entry: StreamEntry, thrown: unknown): Promise<void> {
    const reason = describe(thrown);
    await this.#group.reject(entry, reason);
    this.#options.onRejected?.();
    const call = callIn(entry);
    this.#options.log.error({ entry: entry.id, call, reason }, 'put an event aside');
  }

  async #pause(failures: number): Promise<void> {
    const ms = Math.min(BACKOFF_MS.first * 2 ** Math.min(failures, 10), BACKOFF_MS.most);
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

/** Whether the event itself is to blame. Where something alongside it is, the event waits for that to be mended. */
function cannotBeWritten(thrown: unknown): boolean {
  if (thrown instanceof AlongsideFailure) return false;
  return thrown instanceof RangeError || thrown instanceof TypeError || refusesData(thrown);
}

function isUnreadable(thrown: unknown): boolean {
  return thrown instanceof ZodError || thrown instanceof SyntaxError;
}

/** The call that an entry is about, as far as it can be read. */
function callIn({ fields }: StreamEntry): string | undefined {
  return /"call":"(call_[0-9a-z]{26})"/.exec(fields.join(' '))?.[1];
}

/** Why an entry was put aside, without anything that stood in it. */
function describe(thrown: unknown): string {
  if (thrown instanceof ZodError) {
    const places = thrown.issues.map(({ path, code }) => `${path.join('.') || 'event'}: ${code}`);
    return `not an event that this version knows (${places.join(', ')})`;
  }
  if (thrown instanceof SyntaxError) return 'not JSON';
  return withoutValues(thrown).message;
}
