import { hostname } from 'node:os';
import { z } from 'zod';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { redisNow, type Redis } from '../platform/redis.ts';
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
  /** Milliseconds since the epoch, by the clock of Redis: those of our machines may differ, or be put right. */
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

/** This process's name in its fleet. */
export function processId(): string {
  return `${hostname()}-${process.pid}`;
}

/**
 * Tells everybody that this process lives and what it does, until it is released.
 *
 * @param options.id of the process in its fleet; absent: `processId`
 * @param options.everyMs time between two beats; 2 s, or shorter where somebody watches closely
 */
export async function startHeartbeat(options: {
  redis: Redis;
  log: Log;
  fleet: Fleet;
  state: () => Omit<Beat, 'at'>;
  releases: Releases;
  id?: string;
  everyMs?: number;
}): Promise<void> {
  const { redis, log } = options;
  const key = fleetKey(options.fleet);
  const id = options.id ?? processId();
  const beat = async () => {
    try {
      await redis.eval(BEAT, 1, key, id, JSON.stringify(options.state()));
    } catch (thrown) {
      log.warn({ err: asError(thrown) }, 'heartbeat failed');
    }
  };
  await forgetTheLost(redis, key);
  let pending = true;
  let last = Promise.resolve();
  const next = () => {
    pending = true;
    last = beat().finally(() => {
      pending = false;
    });
  };
  next();
  await last;
  // While Redis is away one beat waits, not all that were due.
  const timer = setInterval(() => {
    if (!pending) next();
  }, options.everyMs ?? BEAT_MS);
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
export async function freshBeats(redis: Redis, fleet: Fleet): Promise<Beat[]> {
  return [...(await freshProcesses(redis, fleet)).values()];
}

/** The same, by the ids of the processes. */
export async function freshProcesses(redis: Redis, fleet: Fleet): Promise<Map<string, Beat>> {
  const fresh = new Map<string, Beat>();
  const [beats, now] = await Promise.all([redis.hgetall(fleetKey(fleet)), redisNow(redis)]);
  for (const [id, text] of Object.entries(beats)) {
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
  const [all, now] = await Promise.all([redis.hgetall(key), redisNow(redis)]);
  const beats = Object.entries(all);
  const lost = beats.filter(([, text]) => (beatOf(text)?.at ?? 0) < now - FORGOTTEN_AFTER_MS);
  if (lost.length > 0) await redis.hdel(key, ...lost.map(([id]) => id));
}

/** The moment is Redis's own; the rest is as the process says. */
const BEAT = `
local time = redis.call('TIME')
local beat = cjson.decode(ARGV[2])
beat.at = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(beat))
`;

function beatOf(text: string): Beat | undefined {
  try {
    return beatSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
