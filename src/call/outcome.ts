export const outcomes = [
  'completed',
  'no_answer',
  'busy',
  'voicemail',
  'rejected',
  'invalid_number',
  'blocked',
  'canceled',
  'failed',
] as const;

/** How a call ended. `blocked` means that our own policy refused it. */
export type Outcome = (typeof outcomes)[number];

export const hangupParties = ['caller', 'callee', 'agent', 'operator', 'system'] as const;

/** Who ended the call; `system` where a process or a limit did. */
export type HangupParty = (typeof hangupParties)[number];

/** The end of a call: what happened, with a sentence for people. */
export type CallEnd = {
  outcome: Outcome;
  reason: string;
  hungUpBy: HangupParty;
  /** SIP status that the far end sent, where there was one (RFC 3261, section 21). */
  sipStatus?: number | undefined;
};

/**
 * The end that a SIP final status means.
 *
 * 408 is not only the far end's: livekit-sip also gives it for its own ring time-out and for a trunk that
 * never answered. `rang` tells them apart: nobody answers a phone that rang, and a trunk that did not even
 * ring is a failure of the trunk.
 */
export function endOfSipStatus(status: number, rang: boolean): CallEnd {
  const end = (outcome: Outcome, reason: string, hungUpBy: HangupParty = 'callee'): CallEnd => ({
    outcome,
    reason,
    hungUpBy,
    sipStatus: status,
  });
  switch (status) {
    case 486:
    case 600:
      return end('busy', 'The line was busy.');
    case 408:
      return rang
        ? end('no_answer', 'The phone rang and nobody answered.', 'system')
        : end(
            'failed',
            'The trunk did not answer: neither ringing nor a refusal came back.',
            'system',
          );
    case 480:
    case 487:
      return end('no_answer', 'Nobody answered.');
    case 404:
    case 484:
    case 604:
      return end('invalid_number', 'The number does not exist.');
    case 401:
    case 407:
      return end('failed', 'The trunk refused our credentials.', 'system');
    case 403:
      return end(
        'failed',
        'The trunk does not permit this call; `sip-management status` tells why.',
        'system',
      );
    case 488:
      return end('failed', 'The far end has no codec in common with us.', 'system');
    case 603:
      return end('rejected', 'The callee declined the call.');
    default:
      return status >= 500 && status < 600
        ? end('failed', 'The trunk failed.', 'system')
        : end('failed', 'The call was refused with an unexpected status.', 'system');
  }
}
