import type { Health } from '../platform/health-server.ts';
import type { Redis } from '../platform/redis.ts';
import { withinMs } from '../platform/time-limit.ts';
import type { CallSlots } from './call-slots.ts';
import type { HostPool } from './hosts/host-pool.ts';

const ASK_MS = 1000;

/** Healthy when livekit-server has registered this worker, Redis answers, and a host is ready. */
export async function workerHealth(options: {
  registered: boolean;
  redis: Pick<Redis, 'ping'>;
  slots: Pick<CallSlots, 'taken' | 'load'>;
  pool: Pick<HostPool, 'hosts'>;
}): Promise<Health> {
  const redis = await withinMs(ASK_MS, options.redis.ping()).then(
    (answer) => answer === 'PONG',
    () => false,
  );
  const hosts = options.pool.hosts.filter(({ state }) => state === 'ready').length;
  const status = (up: boolean) => (up ? 'up' : 'down');
  return {
    status: options.registered && redis && hosts > 0 ? 'healthy' : 'unhealthy',
    services: {
      livekit: status(options.registered),
      redis: status(redis),
      hosts: status(hosts > 0),
    },
    calls: options.slots.taken,
    load: options.slots.load,
    hosts,
  };
}
