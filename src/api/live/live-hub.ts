import type { Holder } from '../../access/key-ring.ts';
import { isKept, readLive, type LiveEntry, type LivePlace } from '../../call/live/live-stream.ts';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Redis } from '../../platform/redis.ts';
import { withinMs } from '../../platform/time-limit.ts';
import type { LiveBoard } from './live-board.ts';
import { LIVE_LIMITS, LiveClient, type LiveLimits } from './live-client.ts';
import { LiveMessage, parseLiveEntry, type LiveFilter } from './live-message.ts';
import type { LiveMetrics } from './live-metrics.ts';
import type { LiveSink } from './live-sink.ts';

const PAGE = 200;
const HEARTBEAT_MS = 15_000;
const CHECK_KEYS_MS = 30_000;
const REDIS_MS = 5000;
const CLOSE_MS = 2500;

const MOST_CLIENTS = 500;
const MOST_CLIENTS_OF_A_KEY = 100;

export type HubDeps = {
  redis: Redis;
  log: Log;
  board: LiveBoard;
  /** Whether a key still permits to watch. */
  mayWatch: (holder: Pick<Holder, 'id'>) => Promise<boolean>;
  metrics: LiveMetrics;
  /** What is handed over so far. */
  reader: { readonly place: LivePlace; readonly isCurrent: boolean };
  limits?: LiveLimits;
};

/** Everybody who watches. Each message is made once and given to all; none of them is ever waited for. */
export class LiveHub {
  readonly #deps: HubDeps;
  readonly #clients = new Set<LiveClient>();
  /** Those that have caught up. */
  readonly #attached = new Set<LiveClient>();
  readonly #timers: NodeJS.Timeout[] = [];
  #closed = false;

  constructor(deps: HubDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timers.push(
      setInterval(() => this.#beat(), HEARTBEAT_MS),
      setInterval(() => void this.checkKeys(), CHECK_KEYS_MS),
    );
  }

  /** Why nobody else can be taken; undefined where somebody can. */
  refusal(holder: Pick<Holder, 'id'>): 'closed' | 'full' | 'key' | undefined {
    if (this.#closed) return 'closed';
    if (this.#clients.size >= MOST_CLIENTS) return 'full';
    const own = [...this.#clients].filter((client) => client.holder.id === holder.id);
    return own.length >= MOST_CLIENTS_OF_A_KEY ? 'key' : undefined;
  }

  /** Takes a client over, from where it was, or from now on. Does not throw: who cannot be served is closed. */
  async serve(
    sink: LiveSink,
    options: { holder: Pick<Holder, 'id'>; filter: LiveFilter; after: LivePlace | undefined },
  ): Promise<void> {
    const { holder, filter, after } = options;
    const { limits = LIVE_LIMITS, metrics, log } = this.#deps;
    const client = new LiveClient({
      sink,
      filter,
      holder,
      limits,
      onOverflow: () => {
        metrics.overflow(sink.transport);
        log.warn({ key: holder.id, transport: sink.transport }, 'a live client reads too slowly');
      },
      onClosed: () => {
        this.#clients.delete(client);
        this.#attached.delete(client);
        metrics.clients(sink.transport, -1);
      },
    });
    this.#clients.add(client);
    metrics.clients(sink.transport, 1);
    if (this.refusal(holder) === 'closed') client.close('shutdown');
    else if (after === undefined) this.#greet(client, filter);
    else await this.#resume(client, filter, after);
  }

  /** Hands on what the reader has read. */
  publish(entries: readonly LiveEntry[]): void {
    for (const entry of entries) {
      const parsed = parseLiveEntry(entry);
      if (!parsed) {
        this.#deps.log.warn({ entry: entry.id }, 'a live event is of an unknown kind');
        continue;
      }
      this.#deps.board.apply(parsed.body);
      for (const client of this.#attached) client.offer(parsed.message);
    }
  }

  /** Redis has lost what was: everybody begins anew. */
  restart(): void {
    for (const client of this.#attached) client.close('unavailable');
  }

  /** Lets go whose key has expired or was revoked. */
  async checkKeys(): Promise<void> {
    const ids = new Set([...this.#clients].map(({ holder }) => holder.id));
    for (const id of ids) {
      // While the database is away nobody is sent away.
      if (await this.#deps.mayWatch({ id }).catch(() => true)) continue;
      for (const client of this.#clients) if (client.holder.id === id) client.close('refused');
    }
  }

  /** Ends all connections, within limits. Nobody new is taken. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const client of this.#clients) client.close('shutdown');
    const begun = performance.now();
    while (this.#clients.size > 0 && performance.now() - begun < CLOSE_MS) await tick();
  }

  #greet(client: LiveClient, filter: LiveFilter): void {
    const { board, reader } = this.#deps;
    const calls = board.calls.filter(({ call }) => !filter.calls || filter.calls.has(call));
    client.tell(
      LiveMessage.of(reader.place, 'hello', {
        calls,
        trunks: [...board.trunks.values()],
        fleet: board.fleet ?? { workers: [], dispatchers: [] },
      }),
    );
    this.#attached.add(client);
  }

  async #resume(client: LiveClient, filter: LiveFilter, after: LivePlace): Promise<void> {
    try {
      if (await withinMs(REDIS_MS, isKept(this.#deps.redis, after))) {
        await this.#catchUp(client, after);
        return;
      }
      if (client.isClosed) return;
      const detail =
        'What happened since is not kept any more. A hello follows: begin anew with it.';
      client.tell(LiveMessage.of(this.#deps.reader.place, 'gap', { detail }));
      this.#greet(client, filter);
    } catch (thrown) {
      this.#deps.log.warn({ err: asError(thrown) }, 'a live client could not resume');
      client.close('unavailable');
    }
  }

  /** Gives a client what it missed, as fast as it reads, until nothing lies between it and the reader. */
  async #catchUp(client: LiveClient, from: LivePlace): Promise<void> {
    const { redis, reader } = this.#deps;
    for (let after = from; !client.isClosed;) {
      const until = reader.place;
      const page = await withinMs(REDIS_MS, readLive(redis, after, until, PAGE));
      for (const entry of page) {
        const parsed = parseLiveEntry(entry);
        if (!parsed) continue;
        // A page may hold more than may wait for a client.
        await client.ready();
        client.offer(parsed.message);
      }
      after = page.length < PAGE ? until : (page.at(-1)?.id ?? until);
      if (after === reader.place) {
        // Where it came from an api that was ahead of this one, nothing comes twice.
        client.resumeAt(from);
        if (!client.isClosed) this.#attached.add(client);
        return;
      }
      await client.ready();
    }
  }

  #beat(): void {
    const { reader } = this.#deps;
    const beat = LiveMessage.of(reader.place, 'heartbeat', { current: reader.isCurrent });
    for (const client of this.#attached) {
      client.tell(beat);
      client.probe();
    }
    for (const client of this.#clients) if (!this.#attached.has(client)) client.probe();
  }
}

async function tick(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 10);
  });
}
