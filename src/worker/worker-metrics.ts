import { Gauge } from 'prom-client';
import type { Registry } from '../platform/metrics.ts';
import type { CallSlots } from './call-slots.ts';

/** Adds what this worker carries, read when it is asked for. */
export function countCalls(
  registry: Registry,
  slots: Pick<CallSlots, 'taken'>,
  capacity: number,
): void {
  const calls = {
    name: 'trunkline_worker_calls',
    help: 'Calls that this worker runs now',
    collect(this: Gauge) {
      this.set(slots.taken);
    },
  };
  const limit = {
    name: 'trunkline_worker_capacity',
    help: 'Calls that this worker takes at a time',
    collect(this: Gauge) {
      this.set(capacity);
    },
  };
  for (const gauge of [calls, limit])
    registry.registerMetric(new Gauge({ ...gauge, registers: [] }));
}
