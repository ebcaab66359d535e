import { Queue, type JobsOptions } from 'bullmq';
import type { Redis } from '../platform/redis.ts';
import { OUTBOUND_QUEUE, type CallOrder } from './order.ts';

const DAY_S = 86_400;

/**
 * A finished job stays known for a day (the fence of its call for three): what enqueues a call again finds
 * the job there, and does nothing. Attempts that fail before the fence is taken are tried again.
 */
export const outboundJobDefaults = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 1000 },
  removeOnComplete: { age: DAY_S },
  removeOnFail: { age: DAY_S },
} satisfies JobsOptions;

/** Where orders wait to be dialled. One job is one call; its id is the call's. */
export class OutboundQueue {
  readonly #queue: Queue<CallOrder>;
  readonly #redis: Redis;

  constructor(redis: Redis, onError: (error: Error) => void) {
    this.#redis = redis;
    this.#queue = new Queue<CallOrder>(OUTBOUND_QUEUE, {
      connection: redis,
      defaultJobOptions: outboundJobDefaults,
      // With an impatient client an order that Redis cannot take must fail, not wait.
      skipWaitingForReady: true,
    });
    this.#queue.on('error', onError);
  }

  /** Adds the order, unless the queue knows its call already. */
  async add(order: CallOrder): Promise<void> {
    const wait = order.notBefore === undefined ? 0 : Math.max(0, order.notBefore - Date.now());
    await this.#queue.add('dial', order, {
      jobId: order.callId,
      ...(wait > 0 ? { delay: wait } : {}),
    });
  }

  /** Those of the orders that the queue does not know, waiting, running or finished. */
  async unknown(orders: readonly CallOrder[]): Promise<CallOrder[]> {
    if (orders.length === 0) return [];
    const pipeline = this.#redis.pipeline();
    for (const { callId } of orders) pipeline.exists(this.#queue.toKey(callId));
    const answers = (await pipeline.exec()) ?? [];
    return orders.filter((_, index) => {
      const [error, exists] = answers[index] ?? [new Error('no answer')];
      if (error) throw error;
      return exists === 0;
    });
  }

  /** Orders that have not begun: waiting, and waiting for their time. */
  async depth(): Promise<{ waiting: number; scheduled: number }> {
    const counts = await this.#queue.getJobCounts('waiting', 'prioritized', 'delayed');
    const { waiting = 0, prioritized = 0, delayed = 0 } = counts;
    return { waiting: waiting + prioritized, scheduled: delayed };
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
