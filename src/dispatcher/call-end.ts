import { callEvent } from '../call/call-event.ts';
import type { CallId } from '../call/call-id.ts';
import { sealEnd, type Fence } from '../call/dial-fence.ts';
import type { EventPublisher } from '../call/event-stream.ts';
import { getLiveCall, leaveLiveCall } from '../call/live-calls.ts';
import type { CallEnd } from '../call/outcome.ts';
import type { Redis } from '../platform/redis.ts';
import type { CallRooms } from './call-room.ts';

export type EndDeps = { redis: Redis; events: EventPublisher; rooms: CallRooms };

/**
 * Ends an outbound call: writes the end down, publishes it, closes the room, gives the seat back.
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
  await deps.rooms.close(callId);
  const live = await getLiveCall(deps.redis, callId);
  if (live) await leaveLiveCall(deps.redis, live);
}
