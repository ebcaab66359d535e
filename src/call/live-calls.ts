import type { Redis } from '../platform/redis.ts';
import { ATTENDANCE } from './attendance.ts';
import type { CallId } from './call-id.ts';
import { memoryItemsKey, memoryKey } from './conversation-memory.ts';

/** A call that some room holds now: what the watchdog and `trunkline watch` need to know of it. */
export type LiveCall = {
  id: CallId;
  room: string;
  trunk: string;
  direction: 'inbound' | 'outbound';
  /** Milliseconds since the epoch. */
  since: number;
};

/** Hash of all live calls by their ids; `trunk-turns.ts` writes it too. */
export const LIVE_CALLS = 'trunkline:live';

/** Set of the calls that hold a seat on a trunk. */
export const seatKey = (trunk: string) => `trunkline:trunk:${trunk}:calls`;

/** Enters a call and takes its seat on the trunk. Idempotent. */
export async function enterLiveCall(redis: Redis, call: LiveCall): Promise<void> {
  await redis
    .multi()
    .hset(LIVE_CALLS, call.id, JSON.stringify(call))
    .sadd(seatKey(call.trunk), call.id)
    .exec();
}

/** Removes a call and gives its seat back. Idempotent. */
export async function leaveLiveCall(
  redis: Redis,
  call: Pick<LiveCall, 'id' | 'trunk'>,
): Promise<void> {
  await redis
    .multi()
    .hdel(LIVE_CALLS, call.id)
    .hdel(ATTENDANCE, call.id)
    .del(memoryKey(call.id), memoryItemsKey(call.id))
    .srem(seatKey(call.trunk), call.id)
    .exec();
}

export async function listLiveCalls(redis: Redis): Promise<LiveCall[]> {
  const values = await redis.hvals(LIVE_CALLS);
  return values.map((value) => JSON.parse(value) as LiveCall);
}

/** A call that is live: it is from its turn on the trunk (or its arrival) until its end is published. */
export async function getLiveCall(redis: Redis, callId: CallId): Promise<LiveCall | undefined> {
  const value = await redis.hget(LIVE_CALLS, callId);
  return value === null ? undefined : (JSON.parse(value) as LiveCall);
}

/**
 * Frees the seats of a trunk whose calls are not live any more.
 *
 * @returns how many there were. Seats and live calls are written together, so there should be none.
 */
export async function freeLeakedSeats(redis: Redis, trunk: string): Promise<number> {
  const script = `
local freed = 0
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('HEXISTS', KEYS[2], id) == 0 then
    freed = freed + redis.call('SREM', KEYS[1], id)
  end
end
return freed`;
  return Number(await redis.eval(script, 2, seatKey(trunk), LIVE_CALLS));
}

/** Calls that hold a seat on a trunk now. */
export async function seatsTaken(redis: Redis, trunk: string): Promise<number> {
  return redis.scard(seatKey(trunk));
}
