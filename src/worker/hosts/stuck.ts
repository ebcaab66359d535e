/** How much longer a host may be silent that was given no processor: a short stall of the machine must end no call. */
const STARVED_FACTOR = 5;

/** A host that does not answer. */
export type Silence = {
  /** For how long, in ms. */
  silentMs: number;
  /** What the kernel says of its main thread; undefined where it says nothing. */
  thread:
    | {
        stopped: boolean;
        /** Processor time that it has had since it was last heard, in ms. */
        processorMs: number;
      }
    | undefined;
};

/**
 * Whether a silent host is stuck. One that has been stopped, or that computes and does not answer, is; one that
 * gets no processor is as alive as everything else on a machine that is too busy, and so would be its successor.
 *
 * @param stuckMs longest silence of a host that could have answered
 */
export function isStuck({ silentMs, thread }: Silence, stuckMs: number): boolean {
  if (silentMs <= stuckMs) return false;
  if (thread === undefined || thread.stopped || silentMs > stuckMs * STARVED_FACTOR) return true;
  return thread.processorMs > stuckMs / 2;
}
