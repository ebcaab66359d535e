import type { Redis } from '../platform/redis.ts';
import type { CallId } from './call-id.ts';

/** A call that some room holds now: what the watchdog and `trunkline watch` need to know of it. */
export type LiveCall = {
  id: CallId;
  room: string;
  trunk: string;
  direction: 'inbound' | 'outbound';
  /** Milliseconds since the epoch. */
  since: number;
};

const LIVE = 'trunkline:live';
const seatKey = (trunk: string) => `trunkline:trunk:${trunk}:calls`;

/** Enters a call and takes its seat on the trunk. Idempotent. */
export async function enterLiveCall(redis: Redis, call: LiveCall): Promise<void> {
  await redis
    .multi()
    .hset(LIVE, call.id, JSON.stringify(call))
    .sadd(seatKey(call.trunk), call.id)
    .exec();
}

/** Removes a call and gives its seat back. Idempotent. */
export async function leaveLiveCall(
  redis: Redis,
  call: Pick<LiveCall, 'id' | 'trunk'>,
): Promise<void> {
  await redis.multi().hdel(LIVE, call.id).srem(seatKey(call.trunk), call.id).exec();
}

export async function listLiveCalls(redis: Redis): Promise<LiveCall[]> {
  const values = await redis.hvals(LIVE);
  return values.map((value) => JSON.parse(value) as LiveCall);
}

/** Calls that hold a seat on a trunk now. */
export async function seatsTaken(redis: Redis, trunk: string): Promise<number> {
  return redis.scard(seatKey(trunk));
}
