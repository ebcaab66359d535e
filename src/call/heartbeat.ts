import { hostname } from 'node:os';
import { z } from 'zod';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import type { Releases } from '../platform/releases.ts';
import { withinMs } from '../platform/time-limit.ts';

/** The processes that work on calls; each kind has a hash in Redis, from process to beat. */
export type Fleet = 'workers' | 'hosts' | 'dispatchers' | 'trunk-monitors';

const BEAT_MS = 2000;
/** A process whose last beat is older does not work any more. */
const DEAD_AFTER_MS = 10_000;
/** A process that was killed left its beat behind; nobody else would remove it. */
const FORGOTTEN_AFTER_MS = 60_000;
const GOODBYE_LIMIT_MS = 1000;

const beatSchema = z.looseObject({
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** Calls that it has now. */
  calls: z.number(),
  /** Calls that it takes at most. */
  capacity: z.number().optional(),
});

export type Beat = z.infer<typeof beatSchema>;

export function fleetKey(fleet: Fleet): string {
  return `trunkline:${fleet}`;
}

/** Tells everybody every 2 s that this process lives and what it does, until it is released. */
export async function startHeartbeat(options: {
  redis: Redis;
  log: Log;
  fleet: Fleet;
  state: () => Omit<Beat, 'at'>;
  releases: Releases;
}): Promise<void> {
  const { redis, log } = options;
  const key = fleetKey(options.fleet);
  const id = `${hostname()}-${process.pid}`;
  const beat = async () => {
    try {
      await redis.hset(key, id, JSON.stringify({ ...options.state(), at: Date.now() }));
    } catch (thrown) {
      log.warn({ err: asError(thrown) }, 'heartbeat failed');
    }
  };
  await forgetTheLost(redis, key);
  let last = beat();
  await last;
  const timer = setInterval(() => {
    last = beat();
  }, BEAT_MS);
  options.releases.add('heartbeat', async () => {
    clearInterval(timer);
    // A patient client would wait for a Redis that is away, and with it the process that must go.
    await withinMs(
      GOODBYE_LIMIT_MS,
      last.then(() => redis.hdel(key, id)),
    );
  });
}

/** The beats of the processes that live; one that cannot be read counts as none. */
export async function freshBeats(redis: Redis, fleet: Fleet, now = Date.now()): Promise<Beat[]> {
  return [...(await freshProcesses(redis, fleet, now)).values()];
}

/** The same, by the ids of the processes. */
export async function freshProcesses(
  redis: Redis,
  fleet: Fleet,
  now = Date.now(),
): Promise<Map<string, Beat>> {
  const fresh = new Map<string, Beat>();
  for (const [id, text] of Object.entries(await redis.hgetall(fleetKey(fleet)))) {
    const beat = beatOf(text);
    if (beat && beat.at > now - DEAD_AFTER_MS) fresh.set(id, beat);
  }
  return fresh;
}

/** Calls that all workers together take; undefined where no worker lives, or one does not tell. */
export async function workerCapacity(redis: Redis): Promise<number | undefined> {
  const beats = await freshBeats(redis, 'workers');
  const known = beats.flatMap(({ capacity }) => (capacity === undefined ? [] : [capacity]));
  if (known.length === 0 || known.length < beats.length) return undefined;
  return known.reduce((sum, capacity) => sum + capacity, 0);
}

async function forgetTheLost(redis: Redis, key: string): Promise<void> {
  const beats = Object.entries(await redis.hgetall(key));
  const lost = beats.filter(
    ([, text]) => (beatOf(text)?.at ?? 0) < Date.now() - FORGOTTEN_AFTER_MS,
  );
  if (lost.length > 0) await redis.hdel(key, ...lost.map(([id]) => id));
}

function beatOf(text: string): Beat | undefined {
  try {
    return beatSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
