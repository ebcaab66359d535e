import type { Redis } from '../../platform/redis.ts';

export type StreamEntry = { id: string; fields: readonly string[] };

/** Entries that could not be taken over, with the reason, for people to look at. */
export const REJECTED_STREAM = 'trunkline:events:rejected';
const REJECTED_LENGTH = 10_000;

const FORGET_AFTER_MS = 3_600_000;

type RawEntry = [id: string, fields: string[] | null];

/** One consumer of a consumer group of a Redis stream. Makes the group again where Redis has lost it. */
export class StreamGroup {
  readonly #redis: Redis;
  readonly #stream: string;
  readonly #group: string;
  readonly #consumer: string;

  constructor(redis: Redis, names: { stream: string; group: string; consumer: string }) {
    this.#redis = redis;
    this.#stream = names.stream;
    this.#group = names.group;
    this.#consumer = names.consumer;
  }

  /** New entries; waits up to `blockMs` for the first, or not at all. */
  async read(count: number, blockMs: number | undefined): Promise<StreamEntry[]> {
    const head = ['GROUP', this.#group, this.#consumer, 'COUNT', count] as const;
    const tail = ['STREAMS', this.#stream, '>'] as const;
    const answer = await this.#withGroup(async () =>
      blockMs === undefined
        ? this.#redis.xreadgroup(...head, ...tail)
        : this.#redis.xreadgroup(...head, 'BLOCK', blockMs, ...tail),
    );
    const streams = (answer ?? []) as [string, RawEntry[]][];
    return entriesOf(streams[0]?.[1] ?? []);
  }

  /** Takes over entries that their consumer has not acknowledged for `idleMs`. */
  async claim(idleMs: number, count: number): Promise<StreamEntry[]> {
    const answer = await this.#withGroup(async () =>
      this.#redis.xautoclaim(
        this.#stream,
        this.#group,
        this.#consumer,
        idleMs,
        '0-0',
        'COUNT',
        count,
      ),
    );
    return entriesOf((answer as [string, RawEntry[]])[1]);
  }

  async acknowledge(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#redis.xack(this.#stream, this.#group, ...ids);
  }

  /** Puts an entry aside and acknowledges it. */
  async reject(entry: StreamEntry, reason: string): Promise<void> {
    await this.#redis
      .multi()
      .xadd(
        REJECTED_STREAM,
        'MAXLEN',
        '~',
        REJECTED_LENGTH,
        '*',
        'entry',
        entry.id,
        'reason',
        reason,
        ...entry.fields,
      )
      .xack(this.#stream, this.#group, entry.id)
      .exec();
  }

  /** Removes consumers that have been gone for long and hold nothing. */
  async forgetIdleConsumers(): Promise<void> {
    const consumers = (await this.#redis.xinfo(
      'CONSUMERS',
      this.#stream,
      this.#group,
    )) as unknown[][];
    for (const fields of consumers) {
      const { name, pending, idle } = record(fields);
      if (name === this.#consumer || Number(pending) > 0 || Number(idle) < FORGET_AFTER_MS)
        continue;
      await this.#redis.xgroup('DELCONSUMER', this.#stream, this.#group, String(name));
    }
  }

  async #withGroup<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (thrown) {
      if (!(thrown instanceof Error) || !thrown.message.startsWith('NOGROUP')) throw thrown;
      await this.#create();
      return command();
    }
  }

  async #create(): Promise<void> {
    try {
      // From the very first entry: what was published before the first api started belongs to the ledger too.
      await this.#redis.xgroup('CREATE', this.#stream, this.#group, '0', 'MKSTREAM');
    } catch (thrown) {
      if (!(thrown instanceof Error) || !thrown.message.startsWith('BUSYGROUP')) throw thrown;
    }
  }
}

/** How far a group is behind: entries not yet read, and read but not acknowledged. */
export async function groupLag(redis: Redis, stream: string, group: string): Promise<number> {
  const groups = await redis.xinfo('GROUPS', stream).catch((thrown: unknown) => {
    if (thrown instanceof Error && thrown.message.includes('no such key')) return [];
    throw thrown;
  });
  const found = (groups as unknown[][]).map(record).find(({ name }) => name === group);
  return found ? Number(found.lag ?? 0) + Number(found.pending) : 0;
}

/** Redis answers maps as flat lists. */
function record(flat: readonly unknown[]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (let index = 0; index < flat.length; index += 2)
    result[String(flat[index])] = flat[index + 1];
  return result;
}

/** An entry that was trimmed while it was pending comes without fields. */
function entriesOf(raw: readonly RawEntry[]): StreamEntry[] {
  return raw.map(([id, fields]) => ({ id, fields: fields ?? [] }));
}
