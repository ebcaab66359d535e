import { z } from 'zod';
import type { Redis } from '../platform/redis.ts';
import { callEventSchema, type CallEventOf } from './call-event.ts';
import type { CallId } from './call-id.ts';

/**
 * What keeps a call from being dialled twice, whoever is killed and whatever is retried.
 *
 *   (none) ── takeFence ──▶ dialing ── sealEnd ──▶ ended
 *    ▲ └───────────────── sealEnd ────────────────▶ ended
 *    └────── releaseFence ─────┘   (only where certainly no INVITE has left)
 *
 * The one attempt that took the fence may dial; everybody else watches. An end is written down here before
 * it is published, so that a process that dies in between leaves its successor the same end to publish.
 */
const fenceSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('dialing'),
    /** Unique to one run of one job. */
    attempt: z.string(),
    trunk: z.string(),
    /** Milliseconds since the epoch, by the clock of Redis. */
    at: z.number(),
    /** How long the phone may ring, in ms. */
    ringMs: z.number(),
  }),
  z.object({ state: z.literal('ended'), event: callEventSchema }),
]);

export type DialingFence = { attempt: string; trunk: string; at: number; ringMs: number };
export type Fence =
  | ({ state: 'dialing' } & DialingFence)
  | { state: 'ended'; event: CallEventOf<'call.ended'> };

/** Longer than anything that could bring a job back: retries of the queue, an operator's restart. */
const FENCE_MS = 3 * 86_400_000;

/**
 * Takes the right to dial. False: another attempt has it, or the call has ended; do not dial. Asked again by the
 * attempt that has it, as after a broken connection, it is granted again.
 */
export async function takeFence(
  redis: Redis,
  callId: CallId,
  dialing: DialingFence,
): Promise<boolean> {
  const value = JSON.stringify({ state: 'dialing', ...dialing });
  return (await redis.eval(TAKE, 1, fenceKey(callId), value, dialing.attempt, FENCE_MS)) === 1;
}

/** Gives the right to dial back. Only for its holder, and only where no INVITE can have left. */
export async function releaseFence(redis: Redis, callId: CallId, attempt: string): Promise<void> {
  await redis.eval(RELEASE, 1, fenceKey(callId), attempt);
}

/** The state of a call's fence, or undefined where nobody may have dialled yet. */
export async function readFence(redis: Redis, callId: CallId): Promise<Fence | undefined> {
  const text = await redis.get(fenceKey(callId));
  return text === null ? undefined : parseFence(text);
}

/**
 * Writes a call's end down; the first one stands.
 *
 * @param holder the attempt that ends the call; `anybody` for those who take over from one that is lost.
 * @returns the end that stands and is to be published, or undefined where another attempt is dialling.
 */
export async function sealEnd(
  redis: Redis,
  event: CallEventOf<'call.ended'>,
  holder: { attempt: string } | 'anybody',
): Promise<CallEventOf<'call.ended'> | undefined> {
  const text = await redis.eval(
    SEAL,
    1,
    fenceKey(event.call),
    JSON.stringify({ state: 'ended', event }),
    holder === 'anybody' ? '' : holder.attempt,
    FENCE_MS,
  );
  if (typeof text !== 'string') return undefined;
  const fence = parseFence(text);
  return fence.state === 'ended' ? fence.event : undefined;
}

/** Removes what the fence of an ended call could tell of the person. It stays closed, and as long as before. */
export async function eraseFence(redis: Redis, callId: CallId): Promise<void> {
  const fence = await readFence(redis, callId);
  // One that is ended never changes again.
  if (fence?.state !== 'ended') return;
  const { outcome, hungUpBy } = fence.event.data;
  const event = { ...fence.event, data: { outcome, hungUpBy, reason: '' } };
  await redis.set(fenceKey(callId), JSON.stringify({ state: 'ended', event }), 'KEEPTTL', 'XX');
}

const TAKE = `
local text = redis.call('GET', KEYS[1])
if text then
  local fence = cjson.decode(text)
  if fence.state == 'dialing' and fence.attempt == ARGV[2] then return 1 end
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1
`;

const SEAL = `
local text = redis.call('GET', KEYS[1])
if text then
  local fence = cjson.decode(text)
  if fence.state == 'ended' then return text end
  if ARGV[2] ~= '' and fence.attempt ~= ARGV[2] then return false end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return ARGV[1]
`;

const RELEASE = `
local text = redis.call('GET', KEYS[1])
if text and cjson.decode(text).attempt == ARGV[1] then redis.call('DEL', KEYS[1]) end
`;

function parseFence(text: string): Fence {
  // The only events that sealEnd writes are ends; the schema cannot say so of its whole union.
  return fenceSchema.parse(JSON.parse(text)) as Fence;
}

function fenceKey(callId: CallId): string {
  return `trunkline:fence:${callId}`;
}
