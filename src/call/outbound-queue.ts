import { Queue, type JobsOptions } from 'bullmq';
import type { Redis } from '../platform/redis.ts';
import { OUTBOUND_QUEUE, type CallOrder } from './order.ts';

const DAY_S = 86_400;

/**
 * A finished job stays known for a day (the fence of its call for three): what enqueues a call again finds
 * the job there, and does nothing. Of very many the oldest go sooner, since a job holds its whole order; the
 * fence outlasts them. Attempts that fail before the fence is taken are tried again.
 */
const outboundJobDefaults = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 1000 },
  removeOnComplete: { age: DAY_S, count: 10_000 },
  removeOnFail: { age: DAY_S },
} satisfies JobsOptions;

/** Where orders wait to be dialled. One job is one call; its id is the call's. */
export class OutboundQueue {
  readonly #redis: Redis;
  readonly #onError: (error: Error) => void;
  #queue: Queue<CallOrder> | undefined;

  constructor(redis: Redis, onError: (error: Error) => void) {
    this.#redis = redis;
    this.#onError = onError;
  }

  /** Adds the order, unless the queue knows its call already. */
  async add(order: CallOrder): Promise<void> {
    const queue = await this.#ready();
    const wait = order.notBefore === undefined ? 0 : Math.max(0, order.notBefore - Date.now());
    await queue.add('dial', order, {
      jobId: order.callId,
      ...(wait > 0 ? { delay: wait } : {}),
    });
  }

  /** Those of the orders that the queue does not know, waiting, running or finished. */
  async unknown(orders: readonly CallOrder[]): Promise<CallOrder[]> {
    if (orders.length === 0) return [];
    const queue = await this.#ready();
    const pipeline = this.#redis.pipeline();
    for (const { callId } of orders) pipeline.exists(queue.toKey(callId));
    const answers = (await pipeline.exec()) ?? [];
    return orders.filter((_, index) => {
      const [error, exists] = answers[index] ?? [new Error('no answer')];
      if (error) throw error;
      return exists === 0;
    });
  }

  /** Orders that have not begun: waiting, and waiting for their time. */
  async depth(): Promise<{ waiting: number; scheduled: number }> {
    const queue = await this.#ready();
    const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed');
    const { waiting = 0, prioritized = 0, delayed = 0 } = counts;
    return { waiting: waiting + prioritized, scheduled: delayed };
  }

  async close(): Promise<void> {
    // A queue that never was ready has nothing to close, and would wait for Redis to do so.
    if (this.#redis.status === 'ready') await this.#queue?.close();
  }

  /** Waits for Redis. A queue whose first words to Redis failed never recovers: it is made anew. */
  async #ready(): Promise<Queue<CallOrder>> {
    const queue = (this.#queue ??= this.#make());
    try {
      await queue.waitUntilReady();
      return queue;
    } catch (thrown) {
      if (this.#queue === queue) this.#queue = undefined;
      throw thrown;
    }
  }

  #make(): Queue<CallOrder> {
    const queue = new Queue<CallOrder>(OUTBOUND_QUEUE, {
      connection: this.#redis,
      defaultJobOptions: outboundJobDefaults,
    });
    queue.on('error', this.#onError);
    return queue;
  }
}
