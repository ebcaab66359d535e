import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Redis } from './redis.ts';
import { withinMs } from './time-limit.ts';

export type { Registry } from 'prom-client';

/** Who scrapes waits 10 s at most; a source that hangs must not cost it the other figures. */
const COLLECT_LIMIT_MS = 1000;

/** A registry with the process's own figures; every metric of ours is made on it, none on a global. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Values of a gauge's labels, in the order of their names, and the figure. */
export type Sample = readonly [labels: readonly string[], value: number];

/**
 * Adds a gauge that is read when the metrics are asked for. While its source is away it has no samples: an
 * old figure would be taken for a new one.
 */
export function addGauge(
  registry: Registry,
  description: { name: string; help: string; labels?: readonly string[] },
  read: () => Promise<readonly Sample[]> | readonly Sample[],
): void {
  const labels = description.labels ?? [];
  const gauge = new Gauge({
    name: description.name,
    help: description.help,
    labelNames: [...labels],
    registers: [],
    async collect() {
      const samples = await withinMs(COLLECT_LIMIT_MS, Promise.resolve().then(read)).catch(
        (): readonly Sample[] => [],
      );
      this.reset();
      // Without labels a reset leaves a 0, which would be a figure too.
      if (labels.length === 0) this.remove();
      for (const [values, figure] of samples) {
        this.set(Object.fromEntries(labels.map((label, at) => [label, values[at] ?? ''])), figure);
      }
    },
  });
  registry.registerMetric(gauge);
}

/** Adds whether something answers: 1, or 0 where it fails or takes longer than a second. */
export function addUpGauge(
  registry: Registry,
  description: { name: string; help: string },
  ask: () => Promise<unknown>,
): void {
  addGauge(registry, description, async () => {
    const up = await withinMs(COLLECT_LIMIT_MS / 2, Promise.resolve().then(ask)).then(
      () => 1,
      () => 0,
    );
    return [[[], up]];
  });
}

/** Adds whether Redis answers this process. */
export function watchRedis(registry: Registry, redis: Pick<Redis, 'ping'>): void {
  addUpGauge(
    registry,
    { name: 'trunkline_redis_up', help: '1 where Redis answers this process, else 0' },
    async () => redis.ping(),
  );
}
