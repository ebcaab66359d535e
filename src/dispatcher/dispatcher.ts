import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, WaitingError, Worker, type Job } from 'bullmq';
import { endCall } from '../call/call-end.ts';
import { isCallId, type CallId } from '../call/call-id.ts';
import { callOrderSchema, OUTBOUND_QUEUE } from '../call/order.ts';
import { asError } from '../platform/errors.ts';
import { redisNow, type Redis } from '../platform/redis.ts';
import { withinMs } from '../platform/time-limit.ts';
import { advanceCall, type OutboundDeps } from './outbound-call.ts';
import { retryDelay } from './patience.ts';
import { over, type Progress } from './progress.ts';

/** Calls that are being set up or ring at a time in one process; answered ones are the workers'. */
const CONCURRENCY = 100;

/**
 * A killed dispatcher's call is found again 9 to 15 s later: when its lock has run out and two checks have
 * seen it so. A process must be starved of the processor for 9 s before it is taken for dead, and even then
 * the fence keeps its calls from being dialled twice.
 */
const LOCK_MS = 12_000;
const LOCK_RENEWAL_MS = 3000;
const STALLED_CHECK_MS = 3000;

/** How often a call may lose its dispatcher: never a reason to fail it. */
const MAX_STALLED = 1_000_000;

/** Trouble that nobody foresaw (LiveKit away, for one) is waited out this long before the call is ended. */
const TROUBLE_LIMIT_MS = 120_000;
const TROUBLE_RETRY_MS = 5000;

/** With no call in hand only Redis can keep the queue from closing, by being away. */
const IDLE_STOP_MS = 2000;

/** A clock that is ahead of that of Redis by more is wrong, and not only read later. */
const CLOCK_AHEAD_MS = 2000;
/** Longest time for which a call that is put off is kept here. */
const LONGEST_HOLD_MS = 5000;

/** Takes calls from the queue, one job a call, and carries each as far as `advanceCall` does. */
export class Dispatcher {
  readonly #deps: OutboundDeps;
  readonly #stopping = new AbortController();
  readonly #worker: Worker;
  readonly #active = new Set<string>();

  constructor(deps: OutboundDeps, connection: Redis) {
    this.#deps = deps;
    this.#worker = new Worker(OUTBOUND_QUEUE, (job, token) => this.#process(job, token), {
      connection,
      autorun: false,
      concurrency: CONCURRENCY,
      lockDuration: LOCK_MS,
      lockRenewTime: LOCK_RENEWAL_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: MAX_STALLED,
    });
    this.#worker.on('error', (error) => deps.log.warn({ err: error }, 'the queue failed'));
    this.#worker.on('failed', (job, error) => {
      deps.log.error({ call: job?.id, err: error }, 'a job of the queue failed');
    });
    this.#worker.on('stalled', (jobId) => {
      deps.log.warn({ call: jobId }, 'a call lost its dispatcher and was found again');
    });
  }

  /** Calls that are being set up or ring here now. */
  get active(): number {
    return this.#active.size;
  }

  start(): void {
    this.#worker.run().catch((thrown: unknown) => {
      this.#deps.log.error({ err: asError(thrown) }, 'the queue stopped');
    });
  }

  /**
   * Takes no more calls, hands over those that are not dialled yet, and waits for the dials in progress up
   * to `deadlineMs`. What is left then is found again by another dispatcher, and watched.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    const closed = this.#worker.close();
    try {
      await withinMs(this.active > 0 ? deadlineMs : IDLE_STOP_MS, closed);
    } catch (thrown) {
      const { active } = this;
      this.#deps.log.warn({ active, err: asError(thrown) }, 'stopping before the queue is closed');
      await withinMs(IDLE_STOP_MS, this.#worker.close(true));
    }
  }

  async #process(job: Job, token: string | undefined): Promise<void> {
    this.#active.add(job.id ?? '');
    try {
      const progress = await this.#advance(job);
      if (progress.kind === 'over') return;
      await this.#putOff(job, progress.waitMs, token);
    } finally {
      this.#active.delete(job.id ?? '');
    }
  }

  /**
   * Has a call looked at again later. BullMQ writes down when, by the clock of this machine: where that is ahead,
   * everybody else, and this machine too once its clock is put right, would look an hour late. So it is waited here.
   *
   * @throws what tells BullMQ that the job has been put back
   */
  async #putOff(job: Job, waitMs: number, token: string | undefined): Promise<never> {
    if (Date.now() - (await redisNow(this.#deps.redis)) < CLOCK_AHEAD_MS) {
      await job.moveToDelayed(Date.now() + waitMs, token);
      throw new DelayedError();
    }
    const { signal } = this.#stopping;
    await sleep(Math.min(waitMs, LONGEST_HOLD_MS), undefined, { signal }).catch(() => undefined);
    await job.moveToWait(token);
    throw new WaitingError();
  }

  /** Never throws while Redis answers: a job that BullMQ counts as failed would leave a call without an end. */
  async #advance(job: Job): Promise<Progress> {
    const { log, redis } = this.#deps;
    try {
      const order = callOrderSchema.parse(job.data);
      return await advanceCall(this.#deps, order, this.#stopping.signal);
    } catch (thrown) {
      const callId = job.id ?? '';
      log.error({ call: callId, err: asError(thrown) }, 'a call could not be advanced');
      if (!isCallId(callId)) return over;
      const waitMs = await retryDelay(redis, callId, TROUBLE_LIMIT_MS);
      if (waitMs !== undefined) return { kind: 'again', waitMs };
      return this.#giveUp(callId);
    }
  }

  /** Ends a call that cannot be set up, unless it may have been dialled: then it is watched on. */
  async #giveUp(callId: CallId): Promise<Progress> {
    const end = {
      outcome: 'failed',
      reason: 'The call could not be set up; the log of the dispatcher tells why.',
      hungUpBy: 'system',
    } as const;
    try {
      // An attempt that does not exist: this end yields to every attempt that has dialled.
      const outcome = await endCall(this.#deps, callId, end, { attempt: 'none' });
      if (outcome === undefined) return { kind: 'again', waitMs: TROUBLE_RETRY_MS };
      this.#deps.metrics.ended(undefined, outcome);
      return over;
    } catch (thrown) {
      this.#deps.log.error({ call: callId, err: asError(thrown) }, 'a call could not be ended');
      return { kind: 'again', waitMs: TROUBLE_RETRY_MS };
    }
  }
}
