import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { groupLag } from '../call/ledger/stream-group.ts';
import { LEDGER_GROUP } from '../call/ledger/event-consumer.ts';
import type { Ledger } from '../call/ledger/ledger.ts';
import type { Applied } from '../call/ledger/record-events.ts';
import { EVENT_STREAM } from '../call/event-stream.ts';
import type { OutboundQueue } from '../call/outbound-queue.ts';
import type { Redis } from '../platform/redis.ts';
import { withinMs } from '../platform/time-limit.ts';

const COLLECT_LIMIT_MS = 1000;

/** The api's own figures. */
export class ApiMetrics {
  readonly registry: Registry;
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #applied: Counter<'type'>;
  readonly #rejected: Counter;
  readonly #ended: Counter<'direction' | 'outcome'>;

  constructor(registry: Registry) {
    this.registry = registry;
    const registers = [registry];
    this.#requests = new Histogram({
      name: 'trunkline_http_request_duration_seconds',
      help: 'Time to answer a request of the API',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    this.#applied = new Counter({
      name: 'trunkline_events_applied_total',
      help: 'Events of calls written into the ledger',
      labelNames: ['type'],
      registers,
    });
    this.#rejected = new Counter({
      name: 'trunkline_events_rejected_total',
      help: 'Entries of the event stream that were put aside',
      registers,
    });
    this.#ended = new Counter({
      name: 'trunkline_calls_ended_total',
      help: 'Calls that ended',
      labelNames: ['direction', 'outcome'],
      registers,
    });
  }

  /** Figures that are asked for when somebody looks. Where the source is away they are left out. */
  watch(sources: { ledger: Ledger; queue: OutboundQueue; redis: Redis }): void {
    this.#gauge('trunkline_calls', 'Calls that have not ended', 'status', async () => {
      const counts = await sources.ledger.countOpen();
      return counts.map(({ status, count }) => [status, count]);
    });
    this.#gauge('trunkline_queue_orders', 'Orders not yet begun', 'state', async () =>
      Object.entries(await sources.queue.depth()),
    );
    this.#gauge('trunkline_events_lag', 'Events not yet in the ledger', 'group', async () => [
      [LEDGER_GROUP, await groupLag(sources.redis, EVENT_STREAM, LEDGER_GROUP)],
    ]);
  }

  applied(applied: readonly Applied[]): void {
    for (const { event, call, ended } of applied) {
      this.#applied.inc({ type: event.type });
      if (ended && call.outcome) {
        this.#ended.inc({ direction: call.direction, outcome: call.outcome });
      }
    }
  }

  rejected(): void {
    this.#rejected.inc();
  }

  /** Times every request, by its route's pattern: the address itself may hold a number. */
  time(app: FastifyInstance): void {
    app.addHook('onResponse', async (request, reply) => {
      const route = request.routeOptions.url ?? 'none';
      const labels = { method: request.method, route, status: reply.statusCode };
      this.#requests.observe(labels, reply.elapsedTime / 1000);
      const ms = Math.round(reply.elapsedTime);
      request.log.info({ method: request.method, route, status: reply.statusCode, ms }, 'answered');
    });
  }

  #gauge(
    name: string,
    help: string,
    label: string,
    read: () => Promise<(readonly [string, number])[]>,
  ): void {
    const gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: async () => {
        gauge.reset();
        const values = await withinMs(COLLECT_LIMIT_MS, read()).catch(() => []);
        for (const [value, count] of values) gauge.set({ [label]: value }, count);
      },
    });
  }
}
