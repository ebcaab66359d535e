import { ServerError, SipCallError } from 'livekit-server-sdk';
import { endOfSipStatus, type CallEnd } from '../call/outcome.ts';

/** What was known of a call when its dialling failed. */
export type DialKnowledge = {
  /** `sip.callStatus` reached ringing. */
  rang: boolean;
  /** It failed well before the ring time-out. */
  brokenOff: boolean;
  /** The end that we brought about ourselves, recorded before the call was cancelled. */
  intent: CallEnd | undefined;
};

/**
 * What an error of `createSipParticipant` means. `refused`: no INVITE has left, and none will, so it may be
 * tried again. `unknown`: an INVITE may have left, and what became of it is not known.
 */
export type DialFailure =
  | { kind: 'ended'; end: CallEnd }
  | { kind: 'refused'; end: CallEnd }
  | { kind: 'unknown' };

/**
 * Classifies an error of `createSipParticipant`.
 *
 * livekit-sip gives the far end's status where there is one. A ring time-out, a silent trunk and our own
 * cancel all come without one, and 401 and 407 as text: this is the one place that matches texts
 * (livekit-sip 1.8, `pkg/sip/errors.go` and `protocol.go`; psrpc, `errors.go`).
 */
export function classifyDialError(error: Error, known: DialKnowledge): DialFailure {
  if (known.intent) return { kind: 'ended', end: known.intent };
  const ended = (end: CallEnd): DialFailure => ({ kind: 'ended', end });
  if (error instanceof SipCallError) {
    const status = error.sipStatusCode;
    if (status === 408) return ended(gaveUp);
    if (status !== undefined && Number.isInteger(status)) {
      return ended(endOfSipStatus(status, known.rang));
    }
  }
  if (!(error instanceof ServerError)) return { kind: 'unknown' };
  const says = (text: RegExp) => text.test(error.message);
  if (says(/required auth|max auth retry|no auth header/)) {
    return ended(endOfSipStatus(407, known.rang));
  }
  if (says(/sip request timed out/)) {
    return ended(known.brokenOff ? brokenOff : endOfSipStatus(408, known.rang));
  }
  // SIP's own limit for a trunk that is silent over UDP: 32 s (RFC 3261, section 17.1.1.2, timer B).
  if (says(/transaction failed to complete/)) return ended(endOfSipStatus(408, known.rang));
  if (says(/fail to resolve target/)) return ended(failed("The trunk's address does not exist."));
  if (says(/transport<\w+> dial/)) return ended(failed('The trunk refused the connection.'));
  if (says(/cpu exhausted/)) {
    return { kind: 'refused', end: failed('The SIP service had no capacity left.') };
  }
  if (says(/no response from servers/)) {
    return { kind: 'refused', end: failed('No SIP service was there to dial.') };
  }
  return classifyCode(error.code);
}

function classifyCode(code: string | undefined): DialFailure {
  const ended = (reason: string): DialFailure => ({ kind: 'ended', end: failed(reason) });
  switch (code ?? '') {
    case 'not_found':
      return ended('LiveKit does not know the trunk; `sip-management ensure` makes it.');
    case 'invalid_argument':
      return ended('LiveKit refused the call as malformed.');
    case 'unauthenticated':
    case 'permission_denied':
      return ended("LiveKit refused the dispatcher's key.");
    case 'failed_precondition':
    case 'canceled':
      return ended('The SIP service gave the call up.');
    default:
      return { kind: 'unknown' };
  }
}

function failed(reason: string): CallEnd {
  return { outcome: 'failed', reason, hungUpBy: 'system' };
}

const brokenOff: CallEnd = failed(
  'The call was broken off before it was answered: its room was closed.',
);

const gaveUp: CallEnd = {
  outcome: 'no_answer',
  reason: 'The network gave up waiting for an answer.',
  hungUpBy: 'callee',
  sipStatus: 408,
};
