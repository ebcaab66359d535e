import { Counter } from 'prom-client';
import { addGauge, watchRedis, type Registry } from '../platform/metrics.ts';
import type { Redis } from '../platform/redis.ts';
import type { CallSlots } from './call-slots.ts';

/** What this worker counts itself; its calls are processes of their own and tell by events. */
export class WorkerMetrics {
  readonly #refused: Counter;
  readonly #lost: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#refused = new Counter({
      name: 'trunkline_worker_calls_refused_total',
      help: 'Calls that this worker did not take: full, stopping, or an agent was there already',
      registers,
    });
    this.#lost = new Counter({
      name: 'trunkline_worker_processes_lost_total',
      help: 'Processes of this worker that died during their call',
      registers,
    });
  }

  refused(): void {
    this.#refused.inc();
  }

  lost(): void {
    this.#lost.inc();
  }
}

/** Adds what this worker carries, and whom it reaches, read when it is asked for. */
export function addWorkerGauges(
  registry: Registry,
  sources: {
    slots: Pick<CallSlots, 'taken'>;
    capacity: number;
    redis: Pick<Redis, 'ping'>;
    /** Whether livekit-server has registered this worker. */
    registered: () => Promise<boolean>;
  },
): void {
  addGauge(
    registry,
    { name: 'trunkline_worker_calls', help: 'Calls that this worker runs now' },
    () => [[[], sources.slots.taken]],
  );
  addGauge(
    registry,
    { name: 'trunkline_worker_capacity', help: 'Calls that this worker takes at a time' },
    () => [[[], sources.capacity]],
  );
  addGauge(
    registry,
    {
      name: 'trunkline_worker_registered',
      help: '1 where livekit-server has registered this worker, else 0: it gets no calls',
    },
    async () => [[[], (await sources.registered()) ? 1 : 0]],
  );
  watchRedis(registry, sources.redis);
}
