import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import type { Releases } from '../platform/releases.ts';

/** Redis hash of the workers that are alive: worker id to `WorkerBeat` as JSON. */
export const WORKERS_KEY = 'trunkline:workers';

const INTERVAL_MS = 2000;

const LOST_MS = 60_000;

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
  await forgetTheLost(redis);
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

/** A worker that was killed took its beat with it into nowhere; nobody else would remove it. */
async function forgetTheLost(redis: Redis): Promise<void> {
  const beats = Object.entries(await redis.hgetall(WORKERS_KEY));
  const lost = beats.filter(([, text]) => {
    const { at } = JSON.parse(text) as Partial<WorkerBeat>;
    return at === undefined || Date.now() - at > LOST_MS;
  });
  if (lost.length > 0) await redis.hdel(WORKERS_KEY, ...lost.map(([id]) => id));
}
