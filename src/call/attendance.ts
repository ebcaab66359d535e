import { z } from 'zod';
import type { Redis } from '../platform/redis.ts';
import type { CallId } from './call-id.ts';

/** Why a call's agent was lost. `handover`: its worker is being stopped and asks another to go on. */
export const takeOverCauses = ['host_died', 'host_stuck', 'worker_lost', 'handover'] as const;
export type TakeOverCause = (typeof takeOverCauses)[number];

/**
 * Which agent attends a call, so that at any time exactly one does, whoever dies and whoever comes back.
 *
 *     (none) ── attend ──▶ attended ── vacate ──▶ vacant ── attend ──▶ attended ── …
 *                              └──────── the call is over: leaveLiveCall ────────┘
 *
 * Whoever wins `vacate` removes the lost agent from the room and asks for another, or starts one. An agent that
 * was cut off and comes back finds that it attends no more: it leaves, and touches neither room nor ledger.
 */
const attendanceSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('attended'),
    /** The agent's identity in the room, unique to one run of one job. */
    agent: z.string(),
    /** Id of the host process that runs it, as in the fleet `hosts`; see `heartbeat.ts`. */
    host: z.string(),
  }),
  z.object({
    state: z.literal('vacant'),
    cause: z.enum(takeOverCauses),
    /** The agent that was lost. */
    agent: z.string(),
    /** Milliseconds since the epoch, by the clock of Redis. */
    at: z.number(),
  }),
]);

export type Attendance = z.infer<typeof attendanceSchema>;

/** Hash of the attendance of all live calls, by their ids. */
export const ATTENDANCE = 'trunkline:attendance';

/** Longer than an agent can be cut off and still have its call. */
const OVER_S = 6 * 3600;

const overKey = (callId: CallId) => `trunkline:over:${callId}`;

/** Enters an agent where none attends the call. Idempotent. False: another one does, or it is over; leave. */
export async function attend(
  redis: Redis,
  callId: CallId,
  { agent, host }: { agent: string; host: string },
): Promise<boolean> {
  const value = JSON.stringify({ state: 'attended', agent, host } satisfies Attendance);
  return (await redis.eval(ATTEND, 2, ATTENDANCE, overKey(callId), callId, agent, value)) === 1;
}

/** Takes a call from an agent that is lost. True for one caller only, who must see to the next agent. */
export async function vacate(
  redis: Redis,
  callId: CallId,
  { agent, cause }: { agent: string; cause: TakeOverCause },
): Promise<boolean> {
  return (await redis.eval(VACATE, 1, ATTENDANCE, callId, agent, cause)) === 1;
}

/** Lets go of a call that goes on without this agent, as one that nobody answered and that is dialled again. */
export async function unattend(redis: Redis, callId: CallId, agent: string): Promise<void> {
  await redis.eval(UNATTEND, 1, ATTENDANCE, callId, agent);
}

/**
 * Whether no other agent has taken the call, and nobody has ended it without one. Also true where nothing is
 * known, as after a lost Redis.
 */
export async function stillAttends(redis: Redis, callId: CallId, agent: string): Promise<boolean> {
  const attendance = await attendanceOf(redis, callId);
  if (attendance) return attendance.state === 'attended' && attendance.agent === agent;
  return (await redis.exists(overKey(callId))) === 0;
}

/** For whoever ends a call in the place of its agent: should that come back, it has nothing to tell any more. */
export async function closeAttendance(redis: Redis, callId: CallId): Promise<void> {
  await redis.set(overKey(callId), '1', 'EX', OVER_S);
}

/** The attendance of one call; undefined where no agent has come yet, or the call is over. */
export async function attendanceOf(redis: Redis, callId: CallId): Promise<Attendance | undefined> {
  const text = await redis.hget(ATTENDANCE, callId);
  return text === null ? undefined : attendanceSchema.parse(JSON.parse(text));
}

/** The attendance of all live calls; what a later version may have written, and we cannot read, is left out. */
export async function listAttendance(redis: Redis): Promise<Map<CallId, Attendance>> {
  const all = new Map<CallId, Attendance>();
  for (const [id, text] of Object.entries(await redis.hgetall(ATTENDANCE))) {
    const attendance = attendanceSchema.safeParse(JSON.parse(text)).data;
    if (attendance) all.set(id as CallId, attendance);
  }
  return all;
}

/** For a call that begins anew, in a new room: whoever attended it before has nothing to do with it any more. */
export async function forgetAttendance(redis: Redis, callId: CallId): Promise<void> {
  await redis.hdel(ATTENDANCE, callId);
}

/** Where the end did not come about after all. */
export async function reopenAttendance(redis: Redis, callId: CallId): Promise<void> {
  await redis.del(overKey(callId));
}

const ATTEND = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local text = redis.call('HGET', KEYS[1], ARGV[1])
if text then
  local now = cjson.decode(text)
  if now.state == 'attended' and now.agent ~= ARGV[2] then return 0 end
  if now.state == 'vacant' and now.agent == ARGV[2] then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
`;

const VACATE = `
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then return 0 end
local now = cjson.decode(text)
if now.state ~= 'attended' or now.agent ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1],
  cjson.encode({ state = 'vacant', cause = ARGV[3], agent = ARGV[2], at = at }))
return 1
`;

const UNATTEND = `
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then return 0 end
local now = cjson.decode(text)
if now.state ~= 'attended' or now.agent ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
`;
