import type { Queue } from 'bullmq';
import { closeAttendance } from '../../call/attendance.ts';
import { endCall, type EndDeps } from '../../call/call-end.ts';
import { callEvent } from '../../call/call-event.ts';
import { leaveLiveCall, type LiveCall } from '../../call/live-calls.ts';
import type { CallEnd } from '../../call/outcome.ts';

/** Whether a dispatcher has this call in hand, or will find it again: then it is not for the watchdog to end. */
export async function isDispatched(queue: Queue, call: LiveCall): Promise<boolean> {
  if (call.direction === 'inbound') return false;
  const state = await queue.getJobState(call.id);
  return state !== 'completed' && state !== 'failed' && state !== 'unknown';
}

/** Ends a call that nobody else ends: tells the ledger, closes the room, gives the seat back. */
export async function endLostCall(deps: EndDeps, call: LiveCall, end: CallEnd): Promise<void> {
  await closeAttendance(deps.redis, call.id);
  if (call.direction === 'outbound') {
    await endCall(deps, call.id, end, 'anybody');
    return;
  }
  await deps.events.send(callEvent('call.ended', call.id, end));
  await deps.rooms.close(call.room);
  await leaveLiveCall(deps.redis, call);
}
