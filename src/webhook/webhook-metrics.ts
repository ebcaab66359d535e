import { asc, eq, sql } from 'drizzle-orm';
import { Counter, Histogram, type Registry } from 'prom-client';
import { addGauge } from '../platform/metrics.ts';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import type { AttemptResult } from './attempt.ts';
import { webhookDeliveries } from './schema.ts';

/** What this api sends to others; the gauges are of the whole system, and every api has the same. */
export class WebhookMetrics {
  readonly #attempts: Histogram<'result'>;
  readonly #deliveries: Counter<'result'>;

  constructor(registry: Registry, rows: WorkspaceRows) {
    const registers = [registry];
    this.#attempts = new Histogram({
      name: 'trunkline_webhook_attempt_duration_seconds',
      help: 'Time that receivers of webhooks took, by how it went: delivered, failed, gone, interrupted',
      labelNames: ['result'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
      registers,
    });
    this.#deliveries = new Counter({
      name: 'trunkline_webhook_deliveries_total',
      help: 'Deliveries that came to their end: delivered, or dead, which is given up',
      labelNames: ['result'],
      registers,
    });
    for (const result of ['delivered', 'dead']) this.#deliveries.inc({ result }, 0);
    addGauge(
      registry,
      {
        name: 'trunkline_webhook_lag_seconds',
        help: 'Age of the oldest event that has not been delivered and not been given up; 0 where none waits',
      },
      async () => [[[], (await lagMs(rows)) / 1000]],
    );
    addGauge(
      registry,
      {
        name: 'trunkline_webhook_deliveries',
        help: 'Deliveries that wait (pending), and that were given up and not replayed (dead)',
        labels: ['state'],
      },
      async () => {
        const counted = await Promise.all(
          (['pending', 'dead'] as const).map(async (state) => {
            const where = eq(webhookDeliveries.state, state);
            const [row] = await rows.countBy(webhookDeliveries, webhookDeliveries.state, where);
            return [[state], row?.count ?? 0] as const;
          }),
        );
        return counted;
      },
    );
  }

  attempted(result: AttemptResult, ms: number): void {
    this.#attempts.observe({ result: result.kind }, ms / 1000);
  }

  ended(result: 'delivered' | 'dead'): void {
    this.#deliveries.inc({ result });
  }
}

async function lagMs(rows: WorkspaceRows): Promise<number> {
  const [oldest] = await rows.select(webhookDeliveries, {
    where: eq(webhookDeliveries.state, 'pending'),
    // An expression: the index by age alone would lead through all that was delivered in a month.
    orderBy: [asc(sql`${webhookDeliveries.createdAt} + interval '0 s'`)],
    limit: 1,
  });
  return oldest ? Math.max(0, Date.now() - oldest.createdAt.getTime()) : 0;
}
