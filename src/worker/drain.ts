import { setTimeout as sleep } from 'node:timers/promises';
import { freshProcesses } from '../call/heartbeat.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import type { CallSlots } from './call-slots.ts';
import type { HostPool } from './hosts/host-pool.ts';

const LOOK_MS = 100;
/** A call whose agent was just beginning is asked for again. */
const ASK_AGAIN_MS = 1000;
/** Longest time for the last sentences. */
const LAST_WORDS_MS = 20_000;

type DrainTimes = {
  /** Calls are waited for. */
  waitMs: number;
  /** Then other workers are asked to go on with them. */
  handoverMs: number;
};

export type DrainDeps = {
  slots: Pick<CallSlots, 'drain' | 'taken'>;
  pool: Pick<HostPool, 'runs' | 'tell'>;
  /** Whether another worker has room for a call. */
  othersHaveRoom: () => Promise<boolean>;
  log: Log;
  times: DrainTimes;
};

/**
 * Takes no more calls and resolves when none is left.
 *
 *     waiting for calls to end ──▶ handing over to other workers ──▶ ending them with a sentence
 *
 * While no other worker has room, calls go on as long as handing over is tried.
 */
export async function drain({ slots, pool, othersHaveRoom, log, times }: DrainDeps): Promise<void> {
  slots.drain();
  if (slots.taken > 0) log.info({ calls: slots.taken }, 'waiting for calls to end');
  if (await emptied(slots, times.waitMs)) return;
  log.warn({ calls: slots.taken }, 'handing calls over to other workers');
  const until = Date.now() + times.handoverMs;
  while (Date.now() < until) {
    if (await othersHaveRoom()) for (const { run } of pool.runs) pool.tell('letGo', run);
    if (await emptied(slots, Math.min(ASK_AGAIN_MS, until - Date.now()))) return;
  }
  log.warn({ calls: slots.taken }, 'calls are ended, because the worker must stop');
  for (const { run } of pool.runs) pool.tell('endCall', run);
  await emptied(slots, LAST_WORDS_MS);
}

/** Whether a worker other than this one has room for a call; not where Redis cannot say. */
export async function othersHaveRoom(redis: Redis, own: string, log: Log): Promise<boolean> {
  try {
    const workers = await freshProcesses(redis, 'workers');
    return [...workers].some(
      ([id, { calls, capacity }]) => id !== own && calls < (capacity ?? Number.POSITIVE_INFINITY),
    );
  } catch (thrown) {
    log.warn({ err: asError(thrown) }, 'could not look for another worker');
    return false;
  }
}

async function emptied(slots: Pick<CallSlots, 'taken'>, withinMs: number): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (slots.taken > 0 && Date.now() < until) await sleep(LOOK_MS);
  return slots.taken === 0;
}
