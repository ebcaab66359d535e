import { DisconnectReason } from '@livekit/rtc-node';
import { ENDED_BY_OPERATOR } from '../call/operator-ends.ts';
import type { CallEnd, HangupParty } from '../call/outcome.ts';

export type Direction = 'inbound' | 'outbound';

/** The end of a call that was answered, as the reason for which the phone left its room tells it. */
export function endOfAnsweredCall(reason: DisconnectReason, direction: Direction): CallEnd {
  const farEnd: HangupParty = direction === 'inbound' ? 'caller' : 'callee';
  const completed = (text: string, hungUpBy: HangupParty): CallEnd => ({
    outcome: 'completed',
    reason: text,
    hungUpBy,
  });
  const failed = (text: string): CallEnd => ({
    outcome: 'failed',
    reason: text,
    hungUpBy: 'system',
  });
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
    case DisconnectReason.USER_REJECTED:
    case DisconnectReason.USER_UNAVAILABLE:
      return completed(`The ${farEnd} hung up.`, farEnd);
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
    case DisconnectReason.PARTICIPANT_REMOVED:
      return ENDED_BY_OPERATOR;
    case DisconnectReason.CONNECTION_TIMEOUT:
    case DisconnectReason.SIGNAL_CLOSE:
      return failed('The connection to the SIP service was lost.');
    case DisconnectReason.MEDIA_FAILURE:
      return failed('No sound came from the far end any more.');
    case DisconnectReason.SIP_TRUNK_FAILURE:
      return failed('The trunk failed.');
    case DisconnectReason.AGENT_ERROR:
      return failed('The agent lost its connection to the call.');
    case DisconnectReason.SERVER_SHUTDOWN:
      return failed('The LiveKit server was stopped.');
    case DisconnectReason.UNKNOWN_REASON:
    case DisconnectReason.DUPLICATE_IDENTITY:
    case DisconnectReason.STATE_MISMATCH:
    case DisconnectReason.JOIN_FAILURE:
    case DisconnectReason.MIGRATION:
      return failed('The far end was lost without a reason given.');
  }
}

/** The end of an inbound call that was never answered. */
export function endOfUnansweredCall(reason: DisconnectReason): CallEnd {
  return BY_FAR_END.has(reason)
    ? {
        outcome: 'canceled',
        reason: 'The caller hung up before the call was answered.',
        hungUpBy: 'caller',
      }
    : {
        outcome: 'failed',
        reason: 'The call was lost before it was answered.',
        hungUpBy: 'system',
      };
}

/** Whether the reason leaves no doubt that the far end is gone; after any other it may join again. */
export function isFinal(reason: DisconnectReason): boolean {
  return FINAL.has(reason);
}

const BY_FAR_END: ReadonlySet<DisconnectReason> = new Set([
  DisconnectReason.CLIENT_INITIATED,
  DisconnectReason.USER_REJECTED,
  DisconnectReason.USER_UNAVAILABLE,
]);

const FINAL: ReadonlySet<DisconnectReason> = new Set([
  ...BY_FAR_END,
  DisconnectReason.ROOM_DELETED,
  DisconnectReason.ROOM_CLOSED,
  DisconnectReason.PARTICIPANT_REMOVED,
  DisconnectReason.SIP_TRUNK_FAILURE,
  DisconnectReason.MEDIA_FAILURE,
]);
