import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Acceptance } from '../call/ledger/accept-order.ts';
import type { Answer, BatchAnswer, Idempotency } from '../call/ledger/answered-before.ts';
import type { BatchAcceptance, NewBatch } from '../call/ledger/accept-batch.ts';
import type { Ledger } from '../call/ledger/ledger.ts';
import { outboundCallBody, type CallOrder, type OutboundCallBody } from '../call/order.ts';
import type { OutboundQueue } from '../call/outbound-queue.ts';
import { asError } from '../platform/errors.ts';
import { Gatherer } from '../platform/gatherer.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import { withinMs } from '../platform/time-limit.ts';
import { examineOrder, type OrderSurroundings } from './examine-order.ts';
import { bodyHash } from './idempotency.ts';
import { ApiProblem, invalidBody } from './problem.ts';
import { storageProblem } from './storable-body.ts';

export type DeskDeps = OrderSurroundings & {
  ledger: Ledger;
  queue: OutboundQueue;
  /** Impatient: a request does not wait for a Redis that is away. */
  redis: Redis;
  /** Called when a call is on record and the queue did not take it. */
  onLeftBehind: () => void;
  log: Log;
};

const REDIS_LIMIT_MS = 1000;
const RETRY_AFTER_S = 5;

/** Calls that share one trip to Redis. */
const MOST = 200;

/** Orders of a batch that are examined before others get their turn: some 10 ms. */
const EXAMINED_AT_ONCE = 50;

/**
 * Takes orders for outbound calls.
 *
 * An order is accepted when the ledger has it, and not before; the queue comes second. Where Redis is away
 * nothing is written at all. Where it goes away between the two, the call is on record as queued, so the
 * answer is yes: the reconciler gives it to the queue as soon as that is back, and because the job's id is the
 * call's, no order becomes two jobs, whoever adds it and however often.
 *
 * Requests that come together share each of the three trips, to Redis, to the ledger and to the queue.
 */
export class OutboundDesk {
  readonly #deps: DeskDeps;
  readonly #pings: Gatherer<undefined, true>;
  readonly #orders: Gatherer<CallOrder, true>;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.#pings = new Gatherer(async (askers) => {
      await withinMs(REDIS_LIMIT_MS, deps.redis.ping());
      return allDone(askers);
    }, Infinity);
    this.#orders = new Gatherer(async (orders) => {
      await withinMs(REDIS_LIMIT_MS, deps.queue.addAll(orders));
      return allDone(orders);
    }, MOST);
  }

  /** @throws ApiProblem */
  async place(body: OutboundCallBody, idempotencyKey: string | undefined): Promise<Answer> {
    const idempotency = idempotencyOf(body, idempotencyKey);
    const { ledger } = this.#deps;
    try {
      const order = examineOrder(this.#deps, body);
      await this.#requireRedis();
      const accepted = await ledger.accept({ ...order, idempotency });
      if (accepted.kind === 'accepted') await this.#enqueue(accepted.order);
      return answerOf(accepted);
    } catch (thrown) {
      // What was accepted before is answered as it was then, whatever has changed since.
      const earlier =
        idempotency && thrown instanceof ApiProblem ? await ledger.replay(idempotency) : undefined;
      if (earlier) return answerOf(earlier);
      throw thrown;
    }
  }

  /**
   * Accepts those of the orders that can be, together. Each body is whatever came.
   *
   * @throws ApiProblem where nothing was accepted
   */
  async placeAll(
    bodies: readonly unknown[],
    idempotencyKey: string | undefined,
  ): Promise<BatchAnswer[]> {
    const idempotency = idempotencyOf(bodies, idempotencyKey);
    const { ledger } = this.#deps;
    const earlier = idempotency && (await ledger.replayBatch(idempotency));
    if (earlier) return answersOf(earlier);
    const items: NewBatch['items'][number][] = [];
    for (const [index, body] of bodies.entries()) {
      if (index % EXAMINED_AT_ONCE === EXAMINED_AT_ONCE - 1) await nextTurn();
      items.push(this.#examineItem(body));
    }
    await this.#requireRedis();
    const accepted = await ledger.acceptBatch({ items, idempotency });
    if (accepted.kind === 'accepted') {
      await Promise.all(accepted.orders.map(async (order) => this.#enqueue(order)));
    }
    return answersOf(accepted);
  }

  #examineItem(body: unknown): NewBatch['items'][number] {
    try {
      const unstorable = storageProblem(body);
      if (unstorable !== undefined) throw new ApiProblem('bad-request', unstorable);
      const parsed = outboundCallBody.safeParse(body);
      if (!parsed.success) throw invalidBody(parsed.error);
      return examineOrder(this.#deps, parsed.data);
    } catch (thrown) {
      if (thrown instanceof ApiProblem) return { problem: thrown.problem };
      throw thrown;
    }
  }

  async #requireRedis(): Promise<void> {
    try {
      await this.#pings.add(undefined);
    } catch (thrown) {
      this.#deps.log.warn({ err: asError(thrown) }, 'refused a call: redis is away');
      throw new ApiProblem('unavailable', 'The queue is away. Nothing was done; send it again.', {
        retryAfterS: RETRY_AFTER_S,
      });
    }
  }

  async #enqueue(order: CallOrder): Promise<void> {
    try {
      await this.#orders.add(order);
    } catch (thrown) {
      const call = order.callId;
      this.#deps.log.warn({ err: asError(thrown), call }, 'call waits for the queue');
      this.#deps.onLeftBehind();
    }
  }
}

function idempotencyOf(body: unknown, key: string | undefined): Idempotency | undefined {
  return key === undefined ? undefined : { key, bodyHash: bodyHash(body) };
}

function answerOf(acceptance: Acceptance): Answer {
  if (acceptance.kind === 'key_taken') throw keyReused();
  return acceptance.answer;
}

function answersOf(acceptance: BatchAcceptance): BatchAnswer[] {
  if (acceptance.kind === 'key_taken') throw keyReused();
  return acceptance.answers;
}

function keyReused(): ApiProblem {
  return new ApiProblem(
    'idempotency-key-reused',
    'This Idempotency-Key came with another body within the last 24 h; take a new key for a new call.',
  );
}

function allDone(items: readonly unknown[]): PromiseSettledResult<true>[] {
  return items.map(() => ({ status: 'fulfilled', value: true }));
}
