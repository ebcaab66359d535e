import { Counter } from 'prom-client';
import { addGauge, watchRedis, type Registry } from '../platform/metrics.ts';
import type { Redis } from '../platform/redis.ts';
import type { CallSlots } from './call-slots.ts';
import type { CallSign } from './call-sign.ts';
import type { HostPool } from './hosts/host-pool.ts';
import type { LossCause } from './hosts/host-process.ts';

/** What this worker counts itself; its calls run in other processes and tell by events. */
export class WorkerMetrics {
  readonly #refused: Counter;
  readonly #hostsLost: Counter<'cause'>;
  readonly #recycled: Counter<'reason'>;
  readonly #takenOver: Counter<'cause'>;
  readonly #givenUp: Counter;
  readonly #linkLost: Counter;
  readonly #signs: Counter<'sign'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#refused = new Counter({
      name: 'trunkline_worker_calls_refused_total',
      help: 'Calls that this worker did not take: full, stopping, or an agent was there already',
      registers,
    });
    this.#hostsLost = new Counter({
      name: 'trunkline_worker_hosts_lost_total',
      help: 'Hosts of this worker that died, or were killed because they were stuck',
      labelNames: ['cause'],
      registers,
    });
    this.#recycled = new Counter({
      name: 'trunkline_worker_hosts_recycled_total',
      help: 'Hosts of this worker that were replaced by a fresh one without touching their calls',
      labelNames: ['reason'],
      registers,
    });
    this.#takenOver = new Counter({
      name: 'trunkline_worker_calls_taken_over_total',
      help: 'Calls whose agent was lost and that went on with another one of this worker',
      labelNames: ['cause'],
      registers,
    });
    this.#givenUp = new Counter({
      name: 'trunkline_worker_calls_given_up_total',
      help: 'Calls whose agent was lost and that this worker had to leave to the watchdog',
      registers,
    });
    this.#linkLost = new Counter({
      name: 'trunkline_worker_reconnects_total',
      help: 'Times that this worker lost its connection to livekit-server and made it again',
      registers,
    });
    this.#signs = new Counter({
      name: 'trunkline_worker_call_signs_total',
      help: 'Calls in which a side fell mute, or a vendor failed for good',
      labelNames: ['sign'],
      registers,
    });
  }

  noticed(sign: CallSign): void {
    this.#signs.inc({ sign });
  }
  refused(): void {
    this.#refused.inc();
  }
  hostLost(cause: LossCause): void {
    this.#hostsLost.inc({ cause });
  }
  recycled(reason: string): void {
    this.#recycled.inc({ reason });
  }
  takenOver(cause: LossCause): void {
    this.#takenOver.inc({ cause });
  }
  givenUp(): void {
    this.#givenUp.inc();
  }
  linkLost(): void {
    this.#linkLost.inc();
  }
}

/** Adds what this worker carries, and whom it reaches, read when it is asked for. */
export function addWorkerGauges(
  registry: Registry,
  sources: {
    slots: Pick<CallSlots, 'taken' | 'capacity'>;
    pool: Pick<HostPool, 'hosts'>;
    redis: Pick<Redis, 'ping'>;
    /** Whether livekit-server has registered this worker. */
    registered: () => boolean;
  },
): void {
  const { slots, pool } = sources;
  addGauge(
    registry,
    { name: 'trunkline_worker_calls', help: 'Calls that this worker runs now' },
    () => [[[], slots.taken]],
  );
  addGauge(
    registry,
    { name: 'trunkline_worker_capacity', help: 'Calls that this worker takes at a time' },
    () => [[[], slots.capacity]],
  );
  addGauge(
    registry,
    {
      name: 'trunkline_worker_registered',
      help: '1 where livekit-server has registered this worker, else 0: it gets no calls',
    },
    () => [[[], sources.registered() ? 1 : 0]],
  );
  addGauge(
    registry,
    { name: 'trunkline_worker_host_calls', help: 'Calls of each host', labels: ['host'] },
    () => pool.hosts.map(({ name, calls }) => [[name], calls]),
  );
  addGauge(
    registry,
    {
      name: 'trunkline_worker_host_lag_seconds',
      help: "Lateness of each host's event loop over the last 5 to 10 s",
      labels: ['host', 'quantile'],
    },
    () =>
      pool.hosts.flatMap(({ name, figures }) => [
        [[name, '0.5'], figures.lagP50 / 1000] as const,
        [[name, '0.99'], figures.lagP99 / 1000] as const,
      ]),
  );
  addGauge(
    registry,
    {
      name: 'trunkline_worker_host_memory_bytes',
      help: 'Resident memory of each host',
      labels: ['host'],
    },
    () => pool.hosts.map(({ name, figures }) => [[name], figures.rssBytes]),
  );
  addGauge(
    registry,
    {
      name: 'trunkline_worker_host_open_resources',
      help: 'Timers, sockets and native listeners that each host holds open',
      labels: ['host', 'kind'],
    },
    () =>
      pool.hosts.flatMap(({ name, figures }) =>
        Object.entries(figures.open).map(([kind, count]) => [[name, kind], count] as const),
      ),
  );
  watchRedis(registry, sources.redis);
}
