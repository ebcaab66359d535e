import type { Queue } from 'bullmq';
import { Counter, Histogram } from 'prom-client';
import { takeOverCauses, type TakeOverCause } from '../call/attendance.ts';
import { seatsTaken } from '../call/live-calls.ts';
import type { Outcome } from '../call/outcome.ts';
import { waitingCalls } from '../call/trunk-turns.ts';
import { addGauge, watchRedis, type Registry, type Sample } from '../platform/metrics.ts';
import type { Redis } from '../platform/redis.ts';

/** What the dispatcher counts of its calls. Labels hold names of trunks and outcomes, never numbers. */
export class DispatcherMetrics {
  readonly #outcomes: Counter<'trunk' | 'outcome'>;
  readonly #dials: Histogram<'trunk' | 'result'>;
  readonly #fenceRefusals: Counter;
  readonly #noAgent: Counter;
  readonly #takeOvers: Counter<'cause'>;
  readonly #withoutAgent: Counter;
  readonly #announcements: Counter<'result'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#outcomes = new Counter({
      name: 'trunkline_dispatcher_calls_ended_total',
      help: 'Outbound calls that the dispatcher ended, by outcome; answered calls end with the worker',
      labelNames: ['trunk', 'outcome'],
      registers,
    });
    this.#dials = new Histogram({
      name: 'trunkline_dispatcher_dial_seconds',
      help: 'From the INVITE to its answer or failure',
      labelNames: ['trunk', 'result'],
      buckets: [0.25, 0.5, 1, 2, 5, 10, 20, 30, 45, 60, 80],
      registers,
    });
    this.#fenceRefusals = new Counter({
      name: 'trunkline_dispatcher_fence_refusals_total',
      help: 'Times that a call was not dialled because another attempt may have done so',
      registers,
    });
    this.#noAgent = new Counter({
      name: 'trunkline_dispatcher_no_agent_total',
      help: 'Times that no agent came in time: nothing was dialled, or a caller was refused',
      registers,
    });
    this.#takeOvers = new Counter({
      name: 'trunkline_dispatcher_take_overs_total',
      help: 'Calls that had lost their agent and for which the watchdog asked for another, by cause',
      labelNames: ['cause'],
      registers,
    });
    this.#withoutAgent = new Counter({
      name: 'trunkline_dispatcher_calls_without_agent_total',
      help: 'Calls that were ended because their agent was lost and no other was to be had',
      registers,
    });
    this.#announcements = new Counter({
      name: 'trunkline_dispatcher_announcements_total',
      help: 'Recorded sentences for callers whose call had to end, by result: said, failed',
      labelNames: ['result'],
      registers,
    });
    // Told as 0 from the start: an alert on an increase needs a value before it.
    for (const cause of takeOverCauses) this.#takeOvers.inc({ cause }, 0);
    for (const result of ['said', 'failed']) this.#announcements.inc({ result }, 0);
  }

  ended(trunk: string | undefined, outcome: Outcome): void {
    this.#outcomes.inc({ trunk: trunk ?? 'none', outcome });
  }

  fenceRefused(): void {
    this.#fenceRefusals.inc();
  }

  noAgent(): void {
    this.#noAgent.inc();
  }

  takeOver(cause: TakeOverCause): void {
    this.#takeOvers.inc({ cause });
  }

  withoutAgent(): void {
    this.#withoutAgent.inc();
  }

  announced(result: 'said' | 'failed'): void {
    this.#announcements.inc({ result });
  }

  /** Starts the clock of a dial; the function that is returned stops it. */
  dialling(trunk: string): (result: string) => void {
    const stop = this.#dials.startTimer({ trunk });
    return (result) => {
      stop({ result });
    };
  }
}

/** Gauges that are read from Redis when the metrics are asked for; left out while it is away. */
export function addQueueGauges(
  registry: Registry,
  redis: Redis,
  queue: Queue,
  trunks: readonly string[],
): void {
  const perTrunk =
    (read: (redis: Redis, trunk: string) => Promise<number>) => async (): Promise<Sample[]> =>
      Promise.all(trunks.map(async (trunk) => [[trunk], await read(redis, trunk)] as const));
  addGauge(
    registry,
    { name: 'trunkline_queue_calls', help: 'Outbound calls in the queue', labels: ['state'] },
    async () => {
      const states = ['active', 'waiting', 'prioritized', 'delayed', 'failed'] as const;
      const { waiting = 0, prioritized = 0, ...others } = await queue.getJobCounts(...states);
      // Orders have a priority, and BullMQ counts what waits with one apart.
      const counts = { ...others, waiting: waiting + prioritized };
      return Object.entries(counts).map(([state, count]) => [[state], count]);
    },
  );
  addGauge(
    registry,
    {
      name: 'trunkline_trunk_waiting_calls',
      help: 'Calls that wait for their turn on a trunk',
      labels: ['trunk'],
    },
    perTrunk(waitingCalls),
  );
  addGauge(
    registry,
    {
      name: 'trunkline_trunk_seats_taken',
      help: 'Calls that hold a seat on a trunk',
      labels: ['trunk'],
    },
    perTrunk(seatsTaken),
  );
  watchRedis(registry, redis);
}
