import { ServerError, SipCallError } from 'livekit-server-sdk';
import { endOfSipStatus, type CallEnd } from '../call/outcome.ts';

/** What was known of a call when its dialling failed. */
export type DialKnowledge = {
  /** `sip.callStatus` reached ringing. */
  rang: boolean;
  /** The end that we brought about ourselves, recorded before the call was cancelled. */
  intent: CallEnd | undefined;
};

/**
 * The end that an error of `createSipParticipant` means, or undefined where the INVITE may have left and
 * what became of it is unknown.
 *
 * livekit-sip gives the far end's status where it has one. A ring time-out, a silent trunk and our own
 * cancel all come as `canceled` without one; 401 and 407 come as text (livekit-sip 1.8, `pkg/sip/errors.go`).
 */
export function endOfDialError(error: Error, known: DialKnowledge): CallEnd | undefined {
  if (known.intent) return known.intent;
  if (error instanceof SipCallError) {
    const status = error.sipStatusCode;
    if (status === 408) return gaveUp;
    if (status !== undefined && Number.isInteger(status)) return endOfSipStatus(status, known.rang);
  }
  if (!(error instanceof ServerError)) return undefined;
  if (/required auth|max auth retry/.test(error.message)) return endOfSipStatus(407, known.rang);
  if (/sip request timed out/.test(error.message)) return endOfSipStatus(408, known.rang);
  return refusalBeforeInvite(error);
}

const gaveUp: CallEnd = {
  outcome: 'no_answer',
  reason: 'The network gave up waiting for an answer.',
  hungUpBy: 'callee',
  sipStatus: 408,
};

/** Errors with which livekit-server and livekit-sip refuse a request before anything is sent. */
function refusalBeforeInvite(error: ServerError): CallEnd | undefined {
  const failed = (reason: string): CallEnd => ({ outcome: 'failed', reason, hungUpBy: 'system' });
  if (error.code === 'unavailable' && /no response from servers/.test(error.message)) {
    return failed('No SIP service was there to dial.');
  }
  switch (error.code ?? 'unknown') {
    case 'not_found':
      return failed('LiveKit does not know the trunk; `sip-management ensure` makes it.');
    case 'invalid_argument':
      return failed('LiveKit refused the call as malformed.');
    case 'resource_exhausted':
      return failed('The SIP service had no capacity left.');
    case 'unauthenticated':
    case 'permission_denied':
      return failed("LiveKit refused the dispatcher's key.");
    default:
      return undefined;
  }
}
