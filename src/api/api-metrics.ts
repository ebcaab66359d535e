import type { FastifyInstance } from 'fastify';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Applied } from '../call/ledger/record-events.ts';
import { CallMetrics, type KnownNames } from './call-metrics.ts';
import type { RequestLog } from './request-log.ts';

/** What this api counts: its requests, and what it wrote into the ledger. */
export class ApiMetrics {
  readonly registry: Registry;
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #applied: Counter<'type'>;
  readonly #rejected: Counter;
  readonly #calls: CallMetrics;

  constructor(registry: Registry, names: KnownNames) {
    this.registry = registry;
    this.#calls = new CallMetrics(registry, names);
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
  }

  applied(applied: readonly Applied[]): void {
    for (const one of applied) {
      this.#applied.inc({ type: one.event.type });
      this.#calls.count(one);
    }
  }

  rejected(): void {
    this.#rejected.inc();
  }

  /** Times every request, by its route's pattern: the address itself may hold a number. */
  time(app: FastifyInstance, log: RequestLog): void {
    app.addHook('onResponse', async (request, reply) => {
      const route = request.routeOptions.url ?? 'none';
      const { method } = request;
      // How long somebody watched says nothing about how fast we answer.
      if (request.routeOptions.config.isEndless && reply.statusCode < 400) return;
      const labels = { method, route, status: reply.statusCode };
      this.#requests.observe(labels, reply.elapsedTime / 1000);
      log.answered(request, reply, route);
    });
  }
}
