import { Client } from 'pg';
import { asError } from './errors.ts';
import type { Log } from './log.ts';

/** No host of `DATABASE_URL` takes writes now. */
class NoPrimaryError extends Error {
  /** As a server says that is not ready: cannot_connect_now. */
  readonly code = '57P03';
  constructor() {
    super('no host of DATABASE_URL is a Postgres that takes writes');
  }
}

const ASK_LIMIT_MS = 2000;
const ASK_EVERY_MS = 3000;

/**
 * Finds among several Postgres servers the one that takes writes, and leads every connection there. It asks all of
 * them every 3 s: when another one has been promoted, connections to the former are broken off, also those that
 * wait for an answer of a server that stands still. Where two say that they take writes, the one with the later
 * timeline is right: it has been promoted, and the other does not know yet.
 */
export class PostgresPrimary {
  readonly #urls: readonly string[];
  readonly #log: Log;
  readonly #clients = new Map<Client, string>();
  #primary: string | undefined;
  #asking: Promise<string> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(urls: readonly string[], log: Log) {
    this.#urls = urls;
    this.#log = log;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      // Who wants a connection is told; here nobody does.
      this.#ask().catch(() => undefined);
    }, ASK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What the pool makes its connections with: each goes to the primary of its moment. */
  clientClass(): typeof Client {
    const lead = async (client: Client) => this.#lead(client);
    const doubt = () => {
      this.#primary = undefined;
    };
    return class extends Client {
      override connect(): Promise<Client>;
      override connect(
        callback: ((error: Error) => void) | ((error: null, client: Client) => void),
      ): void;
      override connect(callback?: (...args: never[]) => void): Promise<Client> | void {
        const connected = lead(this)
          .then(async () => super.connect())
          .catch((thrown: unknown) => {
            doubt();
            throw asError(thrown);
          });
        if (!callback) return connected;
        const done = callback as (error: Error | null, client?: Client) => void;
        // oxlint-disable promise/no-callback-in-promise -- the pool gives a callback, and must be answered by it
        connected.then(
          (client) => done(null, client),
          (thrown: unknown) => done(asError(thrown)),
        );
        // oxlint-enable promise/no-callback-in-promise
      }
    };
  }

  async #lead(client: Client): Promise<void> {
    const url = this.#primary ?? (await this.#ask());
    const { host, port } = new Client(url);
    Object.assign(client, { host, port });
    this.#clients.set(client, url);
    client.once('end', () => this.#clients.delete(client));
  }

  async #ask(): Promise<string> {
    return (this.#asking ??= this.#askAll().finally(() => {
      this.#asking = undefined;
    }));
  }

  async #askAll(): Promise<string> {
    const answers = await Promise.all(
      this.#urls.map(async (url) => ({ url, timeline: await timelineOf(url) })),
    );
    const writable = answers.filter(({ timeline }) => timeline > 0);
    const [best] = writable.toSorted((a, b) => b.timeline - a.timeline);
    if (!best) {
      this.#primary = undefined;
      throw new NoPrimaryError();
    }
    // Of two that are equal the one that we write to stays.
    const stays = writable.find(
      ({ url, timeline }) => url === this.#primary && timeline === best.timeline,
    );
    this.#primary = (stays ?? best).url;
    this.#leave(this.#primary);
    return this.#primary;
  }

  #leave(primary: string): void {
    const former = [...this.#clients].filter(([, url]) => url !== primary);
    if (former.length === 0) return;
    this.#log.warn({ connections: former.length }, 'another Postgres takes the writes now');
    for (const [client] of former) {
      this.#clients.delete(client);
      client.connection.stream.destroy(
        new Error('Connection terminated: not the primary any more'),
      );
    }
  }
}

/** The timeline that a server writes; 0 where it is a standby or does not answer. */
async function timelineOf(url: string): Promise<number> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: ASK_LIMIT_MS });
  client.on('error', () => undefined);
  const limit = setTimeout(() => client.connection.stream.destroy(), ASK_LIMIT_MS);
  try {
    await client.connect();
    const { rows } = await client.query<{ file: string | null }>(
      'select case when not pg_is_in_recovery() then pg_walfile_name(pg_current_wal_lsn()) end as file',
    );
    const file = rows[0]?.file ?? null;
    // The first eight hexadecimal digits of the file that is written are the timeline.
    return file === null ? 0 : Number.parseInt(file.slice(0, 8), 16);
  } catch {
    return 0;
  } finally {
    clearTimeout(limit);
    client.end().catch(() => undefined);
  }
}
