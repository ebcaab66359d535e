import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import type { Releases } from '../platform/releases.ts';

/** Redis hash of the workers that are alive: worker id to `WorkerBeat` as JSON. */
export const WORKERS_KEY = 'trunkline:workers';

const INTERVAL_MS = 2000;

export type WorkerBeat = {
  calls: number;
  capacity: number;
  /** Milliseconds since the epoch; a beat that is much older than 2 s is that of a lost worker. */
  at: number;
};

/** Tells everybody that this worker lives and how full it is, every 2 s until it is released. */
export async function startHeartbeat(options: {
  redis: Redis;
  log: Log;
  workerId: string;
  state: () => Pick<WorkerBeat, 'calls' | 'capacity'>;
  releases: Releases;
}): Promise<void> {
  const { redis, log, workerId } = options;
  let last = Promise.resolve();
  const beat = async () => {
    const value: WorkerBeat = { ...options.state(), at: Date.now() };
    try {
      await redis.hset(WORKERS_KEY, workerId, JSON.stringify(value));
    } catch (thrown) {
      log.warn({ err: asError(thrown) }, 'heartbeat failed');
    }
  };
  last = beat();
  await last;
  const timer = setInterval(() => {
    last = beat();
  }, INTERVAL_MS);
  options.releases.add('heartbeat', async () => {
    clearInterval(timer);
    await last;
    await redis.hdel(WORKERS_KEY, workerId);
  });
}
