import { Queue, type JobsOptions } from 'bullmq';
import type { Redis } from '../platform/redis.ts';
import type { CallId } from './call-id.ts';
import { OUTBOUND_QUEUE, priorityOf, type CallOrder } from './order.ts';

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

/** Jobs of one command to Redis, which does nothing else meanwhile. */
const CHUNK = 200;

/** Where orders wait to be dialled. One job is one call; its id is the call's. */
export class OutboundQueue {
  readonly #redis: Redis;
  readonly #onError: (error: Error) => void;
  #queue: Queue<CallOrder> | undefined;

  constructor(redis: Redis, onError: (error: Error) => void) {
    this.#redis = redis;
    this.#onError = onError;
  }

  /** Adds the orders whose calls the queue does not know already. */
  async addAll(orders: readonly CallOrder[]): Promise<void> {
    const queue = await this.#ready();
    for (let start = 0; start < orders.length; start += CHUNK) {
      await queue.addBulk(
        orders.slice(start, start + CHUNK).map((order) => ({
          name: 'dial',
          data: order,
          opts: jobOptions(order),
        })),
      );
    }
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

  /** Takes a call out of the queue, unless a dispatcher has it in hand: the call's fence then tells that one. */
  async withdraw(callId: CallId): Promise<void> {
    const queue = await this.#ready();
    await queue.remove(callId);
  }

  /**
   * Removes the order of a call that has ended. One that a dispatcher holds at this moment stays, as a job that
   * names nobody: the call's fence tells it that there is nothing left to do.
   */
  async erase(callId: CallId): Promise<void> {
    const queue = await this.#ready();
    if ((await queue.remove(callId)) === 1) return;
    const job = await queue.getJob(callId);
    await job?.updateData({
      callId,
      publicId: callId,
      workspace: job.data.workspace,
      to: '',
      personality: job.data.personality,
      variables: {},
      metadata: {},
      acceptedAt: job.data.acceptedAt,
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

function jobOptions(order: CallOrder): JobsOptions {
  const wait = order.notBefore === undefined ? 0 : Math.max(0, order.notBefore - Date.now());
  return {
    jobId: order.callId,
    priority: priorityOf(order),
    ...(wait > 0 ? { delay: wait } : {}),
  };
}
