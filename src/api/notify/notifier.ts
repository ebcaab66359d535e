import { hostname } from 'node:os';
import { Counter, type Registry } from 'prom-client';
import { z } from 'zod';
import { asError } from '../../platform/errors.ts';
import { Lease } from '../../platform/lease.ts';
import type { Log } from '../../platform/log.ts';
import type { Redis } from '../../platform/redis.ts';
import { withinMs } from '../../platform/time-limit.ts';
import { degraded, healthy, type ServiceHealth } from '../health/check.ts';
import { advanceAlarms, alarmsSchema } from './alarm-book.ts';
import { DeliveryError, type Channel, type ChannelName } from './channel.ts';
import { composeMessage, lasting, testMessage } from './message.ts';
import { address, deliver, lettersSchema } from './postbox.ts';
import type { Trouble, Watch } from './trouble.ts';

const LOOK_EVERY_MS = 15_000;
const LEASE_MS = 60_000;
const LOOK_LIMIT_MS = 5000;
const REDIS_LIMIT_MS = 2000;
const STOP_LIMIT_MS = 2000;
/** What becomes due meanwhile goes into the next message. */
const BETWEEN_MESSAGES_MS = 2 * 60_000;

const LEASE_KEY = 'trunkline:notify:lease';
const BOOK_KEY = 'trunkline:notify:book';

const bookSchema = z.object({
  lookedAt: z.number(),
  toldAt: z.number(),
  alarms: alarmsSchema,
  letters: lettersSchema,
});
type Book = z.infer<typeof bookSchema>;

const emptyBook: Book = { lookedAt: 0, toldAt: 0, alarms: {}, letters: [] };

export type NotifierOptions = {
  channels: readonly Channel[];
  watches: readonly Watch[];
  /** Impatient: it looks on without Redis. */
  redis: Redis;
  registry: Registry;
  log: Log;
  now?: () => number;
  /** How this machine is called in messages. */
  host?: string;
};

export type TestResult = { channel: ChannelName; delivered: boolean; detail: string };

/**
 * Tells people what needs one of them. One api at a time looks, by a lease; what was told stands in Redis, so
 * that neither a restart nor another api tells it again. Without Redis each api goes by its own memory: that
 * Redis is away must be told, too.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #lease: Lease;
  readonly #messages: Counter<'channel' | 'result'>;
  readonly #stopping = new AbortController();
  readonly #now: () => number;
  readonly #host: string;
  #book: Book | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#host = options.host ?? hostname();
    this.#lease = new Lease(options.redis, LEASE_KEY, LEASE_MS);
    this.#messages = new Counter({
      name: 'trunkline_notifications_total',
      help: 'Attempts to send a message to the operator',
      labelNames: ['channel', 'result'],
      registers: [options.registry],
    });
  }

  /** Whether anybody is to be told. */
  get isUsed(): boolean {
    return this.#options.channels.length > 0;
  }

  /** Does nothing where nobody is to be told. */
  start(): void {
    if (!this.isUsed) return;
    const { signal } = this.#stopping;
    const next = () => {
      const timer = setTimeout(() => {
        this.#running = this.look()
          .catch((thrown: unknown) =>
            this.#options.log.error({ err: asError(thrown) }, 'could not look for trouble'),
          )
          .finally(() => {
            if (!signal.aborted) next();
          });
      }, LOOK_EVERY_MS);
      signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    next();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    // A mail server that does not answer must not hold up the ledger, which is closed after this.
    await withinMs(STOP_LIMIT_MS, this.#running).catch(() => undefined);
    for (const channel of this.#options.channels) channel.close();
    if (!this.isUsed) return;
    await withinMs(REDIS_LIMIT_MS, this.#lease.release()).catch(() => undefined);
  }

  /** One look at everything, and a message where something is to be told. */
  async look(): Promise<void> {
    const { channels, log } = this.#options;
    const before = await this.#takeBook();
    if (!before) return;
    const now = this.#now();
    const { troubles, unseen } = await this.#watch(now);
    const { alarms, news } = advanceAlarms(before.alarms, {
      troubles,
      unseen,
      now,
      lookedAt: before.lookedAt,
      mayTell: now - before.toldAt >= BETWEEN_MESSAGES_MS,
    });
    const message = composeMessage(news, this.#host);
    if (message) log.warn({ subject: message.subject }, 'telling the operator');
    const letters = [...before.letters, ...(message ? address(message, channels, now) : [])];
    const book = { lookedAt: now, toldAt: message ? now : before.toldAt, alarms, letters };
    // Before it is sent: what dies in between sends it, and whoever comes next does not tell it anew.
    await this.#keep(book);
    const left = await deliver(letters, channels, {
      now,
      log,
      onSent: (channel, result) => this.#messages.inc({ channel, result }),
    });
    if (letters.length > 0) await this.#keep({ ...book, letters: left });
  }

  /** Sends a test to every channel, now. */
  async test(): Promise<TestResult[]> {
    return Promise.all(
      this.#options.channels.map(async ({ name, send }) => {
        try {
          await send(testMessage(this.#host));
          return { channel: name, delivered: true, detail: 'sent' };
        } catch (thrown) {
          const detail = thrown instanceof DeliveryError ? thrown.message : 'could not be sent';
          this.#options.log.warn({ err: asError(thrown), channel: name }, 'a test did not go out');
          return { channel: name, delivered: false, detail };
        }
      }),
    );
  }

  /** Whether messages arrive. */
  async health(): Promise<ServiceHealth> {
    const { channels } = this.#options;
    const names = channels.map(({ name }) => name).join(' and ');
    const book = (await this.#load()) ?? emptyBook;
    const failing = book.letters.find(({ attempts }) => attempts > 0);
    if (!failing) return healthy(`problems are told by ${names}`);
    const age = lasting(this.#now() - failing.writtenAt);
    return degraded(`a message by ${failing.channel} does not go out since ${age}: see its log`);
  }

  /** What stands in Redis, or here where that is newer; undefined where another api looks. */
  async #takeBook(): Promise<Book | undefined> {
    try {
      if (!(await withinMs(REDIS_LIMIT_MS, this.#lease.hold()))) {
        this.#book = undefined;
        return undefined;
      }
      const stored = await this.#load();
      if (stored && stored.lookedAt >= (this.#book?.lookedAt ?? 0)) return stored;
    } catch {
      // Redis is away: one of the watches tells so.
    }
    return this.#book ?? emptyBook;
  }

  async #load(): Promise<Book | undefined> {
    const text = await withinMs(REDIS_LIMIT_MS, this.#options.redis.get(BOOK_KEY));
    if (text === null) return undefined;
    // Of another version: what it told may be told again.
    return bookSchema.safeParse(JSON.parse(text)).data;
  }

  async #keep(book: Book): Promise<void> {
    this.#book = book;
    try {
      const text = JSON.stringify(book);
      await withinMs(REDIS_LIMIT_MS, this.#options.redis.set(BOOK_KEY, text));
    } catch {
      // It is kept here until Redis is back.
    }
  }

  async #watch(now: number): Promise<{ troubles: Trouble[]; unseen: string[] }> {
    const unseen: string[] = [];
    const found = await Promise.all(
      this.#options.watches.map(async ({ name, look }) => {
        try {
          return await withinMs(LOOK_LIMIT_MS, look(now));
        } catch (thrown) {
          this.#options.log.debug({ err: asError(thrown), watch: name }, 'could not look');
          unseen.push(name);
          return [];
        }
      }),
    );
    return { troubles: found.flat(), unseen };
  }
}
