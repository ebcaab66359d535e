import type { Redis } from '../platform/redis.ts';
import type { CallId } from './call-id.ts';
import { LIVE_CALLS, seatKey, type LiveCall } from './live-calls.ts';

/** How much a trunk takes. */
export type TrunkLimits = { callsPerSecond: number; concurrentCalls: number };

/** How much a trunk takes, and how many calls all agents together; absent: not known, and no limit. */
export type TurnLimits = TrunkLimits & { agents?: number | undefined };

export type Turn = { granted: true } | { granted: false; waitMs: number };

/** A call that does not ask again this long after it should have is not there: others go before it. */
const ABSENT_MS = 5000;

/** Least and longest wait until a call asks for its turn again. */
const LEAST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 300_000;

/** Longer than calls that are ready at the same time can stand behind each other. */
const LONGEST_DEPARTURE_MS = 120_000;

/** How far apart two priorities are in a line: further than any two times are, in ms. */
const PRIORITY_STEP = 1e13;

/** So near its moment, a more urgent call is waited for. */
const NEAR_MS = 250;

/** Where a call stands in its trunk's line: by its priority, and then by since when it waits (ms). */
export function placeInLine(priority: number, since: number): number {
  return priority * PRIORITY_STEP + since;
}

/**
 * Asks for a call's turn on its trunk: a seat, an agent's place, and the trunk's pace. Granted, the call is entered as live
 * and holds its seat until `leaveLiveCall`; asking again is granted again. Not granted, the call stands in
 * the trunk's line (by `order`, see `placeInLine`, the least first) and asks again after `waitMs`.
 *
 * One script on the clock of Redis, so any number of dispatchers share the limits exactly.
 */
export async function takeTurn(
  redis: Redis,
  call: LiveCall,
  limits: TurnLimits,
  order: number,
): Promise<Turn> {
  const waitMs = Number(
    await redis.eval(
      TAKE_TURN,
      5,
      LIVE_CALLS,
      seatKey(call.trunk),
      lineKey(call.trunk),
      dueKey(call.trunk),
      `trunkline:trunk:${call.trunk}:pace`,
      call.id,
      JSON.stringify(call),
      order,
      limits.concurrentCalls,
      intervalMs(limits),
      ABSENT_MS,
      LEAST_WAIT_MS,
      LONGEST_WAIT_MS,
      PRIORITY_STEP,
      NEAR_MS,
      limits.agents ?? -1,
    ),
  );
  return waitMs < 0 ? { granted: true } : { granted: false, waitMs };
}

/**
 * Reserves the moment at which a call's INVITE may leave. Turns are paced too, but agents take differently
 * long to get ready, and a carrier counts INVITEs.
 *
 * @returns how long to wait until then, in ms.
 */
export async function reserveDeparture(
  redis: Redis,
  trunk: string,
  limits: TrunkLimits,
): Promise<number> {
  const key = `trunkline:trunk:${trunk}:departure`;
  return Number(await redis.eval(RESERVE, 1, key, intervalMs(limits), LONGEST_DEPARTURE_MS));
}

/** Takes a call that will not be dialled out of its trunk's line. Idempotent. */
export async function leaveLine(redis: Redis, trunk: string, callId: CallId): Promise<void> {
  await redis.multi().zrem(lineKey(trunk), callId).zrem(dueKey(trunk), callId).exec();
}

/** Calls that wait for their turn on a trunk. */
export async function waitingCalls(redis: Redis, trunk: string): Promise<number> {
  return redis.zcard(lineKey(trunk));
}

const lineKey = (trunk: string) => `trunkline:trunk:${trunk}:line`;
const dueKey = (trunk: string) => `trunkline:trunk:${trunk}:due`;
const intervalMs = (limits: TrunkLimits) => Math.ceil(1000 / limits.callsPerSecond);

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Pace is the generic cell rate algorithm with a burst of one: `next` is when the next call may go. A call
 * that is `rank` places from the front may go when more seats than that are free.
 */
const TAKE_TURN = `${NOW}
local live, seats, line, due, pace = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, entry, order = ARGV[1], ARGV[2], ARGV[3]
local limit, interval, absent = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local least, longest = tonumber(ARGV[7]), tonumber(ARGV[8])
local step, near, agents = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])

local function leave(call)
  redis.call('ZREM', line, call)
  redis.call('ZREM', due, call)
end

if redis.call('SISMEMBER', seats, id) == 1 then
  leave(id)
  return -1
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now - absent, 'LIMIT', 0, 100)) do
  leave(gone)
end
redis.call('ZADD', line, 'NX', order, id)
local rank = redis.call('ZRANK', line, id)
local free = limit - redis.call('SCARD', seats)
if agents >= 0 then
  -- The calls of all trunks, inbound ones too, have an agent each.
  free = math.min(free, agents - redis.call('HLEN', live))
end
-- Never later than this, unless the clock of Redis was put back, or another Redis has become the master.
local next = math.min(tonumber(redis.call('GET', pace) or '0'), now + interval)
next = math.max(now, next)

-- Of one priority whoever asks first may go. A more urgent call that is about to ask goes before.
local yields = false
if rank > 0 then
  local front = redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')
  local at = tonumber(redis.call('ZSCORE', due, front[1]) or '0')
  local mine = tonumber(redis.call('ZSCORE', line, id))
  yields = math.floor(front[2] / step) < math.floor(mine / step)
    and math.abs(at - now) <= near and at - now < interval
end

if rank < free and next <= now and not yields then
  leave(id)
  redis.call('SADD', seats, id)
  redis.call('HSET', live, id, entry)
  redis.call('SET', pace, now + interval, 'PX', interval + 1000)
  return -1
end
local wait = next - now + rank * interval
if rank >= free then
  wait = math.max(wait, least + 100 * (rank - free))
end
wait = math.max(1, math.min(wait, longest))
redis.call('ZADD', due, now + wait, id)
return wait
`;

const RESERVE = `${NOW}
local interval = tonumber(ARGV[1])
local kept = tonumber(redis.call('GET', KEYS[1]) or '0')
-- By a clock that was ahead of the one of now.
if kept - now > interval + tonumber(ARGV[2]) then kept = 0 end
local at = math.max(now, kept)
redis.call('SET', KEYS[1], at + interval, 'PX', at - now + interval + 1000)
return at - now
`;
