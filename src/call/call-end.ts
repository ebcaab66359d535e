import type { Redis } from '../platform/redis.ts';
import { callEvent } from './call-event.ts';
import type { CallId } from './call-id.ts';
import { sealEnd, type Fence } from './dial-fence.ts';
import type { EventPublisher } from './event-stream.ts';
import { getLiveCall, leaveLiveCall } from './live-calls.ts';
import type { CallEnd } from './outcome.ts';

export type EndDeps = {
  redis: Redis;
  events: EventPublisher;
  /** Ends a room, if it is there: an INVITE that rings is cancelled, a call that is on gets BYE. */
  rooms: { close(room: string): Promise<void> };
};

/**
 * Ends a call on behalf of those who carry it no further: writes the end down, publishes it, closes the room,
 * gives the seat back.
 *
 * @param holder see `sealEnd`.
 * @returns the outcome that stands, or undefined where another attempt is dialling and nothing was done.
 */
export async function endCall(
  deps: EndDeps,
  callId: CallId,
  end: CallEnd,
  holder: { attempt: string } | 'anybody',
): Promise<CallEnd['outcome'] | undefined> {
  const event = await sealEnd(deps.redis, callEvent('call.ended', callId, end), holder);
  if (!event) return undefined;
  await publishEnd(deps, callId, event);
  return event.data.outcome;
}

/**
 * Publishes an end that is written down. Repeated after a crash, it sends the same event, which the ledger
 * applies once. The room is closed after the event is out, so that ours is the reason that the ledger keeps,
 * and the seat is freed last, when the line is really free.
 */
export async function publishEnd(
  deps: EndDeps,
  callId: CallId,
  event: Extract<Fence, { state: 'ended' }>['event'],
): Promise<void> {
  await deps.events.send(event);
  const live = await getLiveCall(deps.redis, callId);
  // An outbound call's room is named by its id.
  await deps.rooms.close(live?.room ?? callId);
  if (live) await leaveLiveCall(deps.redis, live);
}
