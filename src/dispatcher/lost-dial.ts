import { setTimeout as sleep } from 'node:timers/promises';
import { cancelRequested } from '../call/cancel-request.ts';
import type { CallId } from '../call/call-id.ts';
import type { DialingFence } from '../call/dial-fence.ts';
import { getLiveCall } from '../call/live-calls.ts';
import { CANCELED } from '../call/operator-ends.ts';
import type { CallEnd } from '../call/outcome.ts';
import { redisNow, type Redis } from '../platform/redis.ts';
import type { CallRooms } from './call-room.ts';

/** `over`: somebody else has ended the call. */
export type LostDial = { kind: 'answered' } | { kind: 'over' } | { kind: 'ended'; end: CallEnd };

const POLL_MS = 1000;

/** The phone joins the room before its INVITE leaves; an attempt that lives takes it there well within this. */
const APPEAR_MS = 15_000;

/** Beyond the ring time-out, for the SIP service to act on it. */
const MARGIN_MS = 5000;

/**
 * Looks in a row that must agree before a phone counts as gone. After a restart of livekit-server, which also
 * cuts the dial off, livekit-sip joins again some 6 s after the loss, and its phone has rung all the while.
 */
const GONE_LOOKS = 9;

/**
 * Watches a call whose dialling attempt is lost (its process died, or its request failed halfway) until the
 * ring deadline is past. It never dials.
 *
 * @returns undefined where `signal` stopped the watch.
 */
export async function watchLostDial(
  deps: { redis: Redis; rooms: CallRooms },
  callId: CallId,
  fence: DialingFence,
  signal: AbortSignal,
): Promise<LostDial | undefined> {
  let seen = false;
  let gone = 0;
  while (!signal.aborted) {
    if (!(await getLiveCall(deps.redis, callId))) return { kind: 'over' };
    const { phone } = await deps.rooms.state(callId);
    if (phone === 'active') return { kind: 'answered' };
    if (await cancelRequested(deps.redis, callId)) return { kind: 'ended', end: CANCELED };
    seen ||= phone !== 'absent';
    gone = phone === 'absent' ? gone + 1 : 0;
    const age = (await redisNow(deps.redis)) - fence.at;
    if (gone >= GONE_LOOKS && (seen || age > APPEAR_MS)) {
      return { kind: 'ended', end: unknownEnd(seen) };
    }
    if (age > fence.ringMs + MARGIN_MS) return { kind: 'ended', end: unknownEnd(seen) };
    await sleep(POLL_MS);
  }
  return undefined;
}

function unknownEnd(rang: boolean): CallEnd {
  return {
    outcome: 'failed',
    reason: rang
      ? 'The dispatcher was interrupted while the phone rang, and nobody answered after that; ' +
        'what the far end said is unknown.'
      : 'The dispatcher was interrupted while it dialled; whether the phone rang is unknown. ' +
        'It was not dialled again.',
    hungUpBy: 'system',
  };
}
