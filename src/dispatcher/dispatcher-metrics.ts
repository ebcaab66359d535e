import type { Queue } from 'bullmq';
import { Counter, Gauge, Histogram } from 'prom-client';
import { seatsTaken } from '../call/live-calls.ts';
import type { Outcome } from '../call/outcome.ts';
import { waitingCalls } from '../call/trunk-turns.ts';
import type { Registry } from '../platform/metrics.ts';
import type { Redis } from '../platform/redis.ts';
import { withinMs } from '../platform/time-limit.ts';

/** What the dispatcher counts of its calls. Labels hold names of trunks and outcomes, never numbers. */
export class DispatcherMetrics {
  readonly #outcomes: Counter<'trunk' | 'outcome'>;
  readonly #dials: Histogram<'trunk' | 'result'>;
  readonly #fenceRefusals: Counter;
  readonly #noAgent: Counter;

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

  /** Starts the clock of a dial; the function that is returned stops it. */
  dialling(trunk: string): (result: string) => void {
    const stop = this.#dials.startTimer({ trunk });
    return (result) => {
      stop({ result });
    };
  }
}

type Figures = Record<string, number>;

const COLLECT_LIMIT_MS = 1000;

/** Gauges that are read from Redis when the metrics are asked for; left out while it is away. */
export function addQueueGauges(
  registry: Registry,
  redis: Redis,
  queue: Queue,
  trunks: readonly string[],
): void {
  const add = (name: string, help: string, label: string, read: () => Promise<Figures>) => {
    const gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [],
      async collect() {
        this.reset();
        const figures = await withinMs(COLLECT_LIMIT_MS, read()).catch((): Figures => ({}));
        for (const [value, figure] of Object.entries(figures)) {
          this.set({ [label]: value }, figure);
        }
      },
    });
    registry.registerMetric(gauge);
  };
  const perTrunk = async (read: (redis: Redis, trunk: string) => Promise<number>) => {
    const figures = trunks.map(async (trunk) => [trunk, await read(redis, trunk)] as const);
    return Object.fromEntries(await Promise.all(figures));
  };
  add('trunkline_queue_calls', 'Outbound calls in the queue', 'state', () =>
    queue.getJobCounts('active', 'waiting', 'delayed', 'failed'),
  );
  add('trunkline_trunk_waiting_calls', 'Calls that wait for their turn on a trunk', 'trunk', () =>
    perTrunk(waitingCalls),
  );
  add('trunkline_trunk_seats_taken', 'Calls that hold a seat on a trunk', 'trunk', () =>
    perTrunk(seatsTaken),
  );
}
