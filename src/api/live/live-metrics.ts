import { Counter, Gauge, type Registry } from 'prom-client';
import type { LiveSink } from './live-sink.ts';

type Transport = LiveSink['transport'];

/** Who watches. */
export class LiveMetrics {
  readonly #clients: Gauge<'transport'>;
  readonly #overflows: Counter<'transport'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#clients = new Gauge({
      name: 'trunkline_live_clients',
      help: 'Connections that watch live events',
      labelNames: ['transport'],
      registers,
    });
    this.#overflows = new Counter({
      name: 'trunkline_live_overflows_total',
      help: 'Connections to live events that were ended because they read too slowly',
      labelNames: ['transport'],
      registers,
    });
  }

  clients(transport: Transport, change: 1 | -1): void {
    this.#clients.inc({ transport }, change);
  }

  overflow(transport: Transport): void {
    this.#overflows.inc({ transport });
  }
}
