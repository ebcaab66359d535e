/** The timers of SIP over UDP (RFC 3261, table 4); tests shorten them. */
export type SipTiming = {
  /** Estimated round trip: the first pause before a retransmission. */
  t1Ms: number;
  /** The longest pause between retransmissions. */
  t2Ms: number;
};

export const STANDARD_TIMING: SipTiming = { t1Ms: 500, t2Ms: 4000 };

/** After this long a transaction has timed out (timers B, F, H), and nothing of it is still on its way (D, J). */
export function transactionLifeMs(timing: SipTiming): number {
  return 64 * timing.t1Ms;
}

/** The pause before the next retransmission. `cap` is missing for INVITE requests, whose pauses double on. */
export function nextPause(pauseMs: number, cap: number | undefined): number {
  return Math.min(pauseMs * 2, cap ?? Number.POSITIVE_INFINITY);
}
