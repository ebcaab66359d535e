import type { Queue } from 'bullmq';
import { startTestApi } from '../src/api/testing.ts';
import { databaseMaker, silentLog } from '../src/call/ledger/testing.ts';
import { addQueueGauges, DispatcherMetrics } from '../src/dispatcher/dispatcher-metrics.ts';
import { createMetrics, watchRedis, type Registry } from '../src/platform/metrics.ts';
import type { Redis } from '../src/platform/redis.ts';
import { TrunkMonitor, type MonitorDeps } from '../src/trunk-monitor/trunk-monitor.ts';
import { addWorkerGauges, WorkerMetrics } from '../src/worker/worker-metrics.ts';

export type Metric = { name: string; type: string; labels: string[] };
export const services = ['api', 'dispatcher', 'worker', 'trunk-monitor'] as const;
export type Service = (typeof services)[number];

/** What the registries of all processes hold, made as the processes make them. */
export async function exposedMetrics(): Promise<Record<Service, Metric[]>> {
  const maker = await databaseMaker('embedded');
  const api = await startTestApi(() => maker.open());
  try {
    return {
      api: metricsOf(api.registry),
      dispatcher: metricsOf(dispatcherRegistry()),
      worker: metricsOf(workerRegistry()),
      'trunk-monitor': metricsOf(monitorRegistry()),
    };
  } finally {
    await api.close();
    await maker.remove();
  }
}

function metricsOf(registry: Registry): Metric[] {
  return registry.getMetricsAsArray().map((metric) => {
    const { name, labelNames } = metric as unknown as { name: string; labelNames?: string[] };
    return { name, type: typeOf(metric), labels: (labelNames ?? []).toSorted() };
  });
}

function typeOf(metric: object): string {
  return metric.constructor.name.toLowerCase();
}

// Nothing is read from these: the names are wanted, not the figures.
const noRedis = {} as Redis;

function dispatcherRegistry(): Registry {
  const registry = createMetrics('dispatcher');
  void new DispatcherMetrics(registry);
  addQueueGauges(registry, noRedis, {} as Queue, []);
  return registry;
}

function workerRegistry(): Registry {
  const registry = createMetrics('worker');
  void new WorkerMetrics(registry);
  addWorkerGauges(registry, {
    slots: { taken: 0, capacity: 1 },
    pool: { hosts: [] },
    redis: noRedis,
    registered: () => true,
  });
  return registry;
}

function monitorRegistry(): Registry {
  const metrics = createMetrics('trunk-monitor');
  watchRedis(metrics, noRedis);
  void new TrunkMonitor({ metrics, log: silentLog } as unknown as MonitorDeps);
  return metrics;
}
