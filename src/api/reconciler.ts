import type { CallId } from '../call/call-id.ts';
import type { Ledger } from '../call/ledger/ledger.ts';
import type { OutboundQueue } from '../call/outbound-queue.ts';
import { withoutValues } from '../platform/database-failure.ts';
import { BackgroundTask } from '../platform/background-task.ts';
import type { Log } from '../platform/log.ts';
import { withinMs } from '../platform/time-limit.ts';

const EVERY_MS = 60_000;
const SOON_MS = 1000;
const PAGE = 500;
const LIMIT_MS = 10_000;

/** Gives the queue every call that the ledger has as queued and the queue does not know. */
export class Reconciler {
  readonly #ledger: Ledger;
  readonly #queue: OutboundQueue;
  readonly #log: Log;
  readonly #task: BackgroundTask;
  #soon: NodeJS.Timeout | undefined;
  #running: Promise<number> | undefined;

  constructor(deps: { ledger: Ledger; queue: OutboundQueue; log: Log }) {
    this.#ledger = deps.ledger;
    this.#queue = deps.queue;
    this.#log = deps.log;
    this.#task = new BackgroundTask({
      run: async () => void (await this.run()),
      everyMs: EVERY_MS,
      onError: (thrown) =>
        this.#log.warn({ err: withoutValues(thrown) }, 'could not compare ledger and queue'),
    });
  }

  /** Now, and every minute. */
  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#soon);
    await this.#task.stop();
    await this.#running?.catch(() => undefined);
  }

  /** Runs in a second, for a call that could not be given to the queue. */
  soon(): void {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.nudge(), SOON_MS);
  }

  /** Runs in the background. */
  nudge(): void {
    this.#task.nudge();
  }

  /**
   * @returns how many calls were enqueued
   * @throws where Redis or the database is away; the next run makes up for it
   */
  async run(): Promise<number> {
    this.#running ??= this.#compare().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #compare(): Promise<number> {
    let restored = 0;
    const unreadable: CallId[] = [];
    let after: CallId | undefined;
    do {
      const page = await this.#ledger.queuedOrders(after, PAGE);
      const missing = await withinMs(LIMIT_MS, this.#queue.unknown(page.orders));
      await withinMs(LIMIT_MS, this.#queue.addAll(missing));
      restored += missing.length;
      unreadable.push(...page.unreadable);
      after = page.last;
    } while (after !== undefined);
    if (unreadable.length > 0) {
      this.#log.error({ calls: unreadable }, 'queued calls whose orders cannot be read wait');
    }
    if (restored > 0) this.#log.warn({ calls: restored }, 'enqueued calls that the queue had lost');
    return restored;
  }
}
