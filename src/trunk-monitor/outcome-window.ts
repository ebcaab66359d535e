import type { CallEvent } from '../call/call-event.ts';

type Ended = { at: number; failed: boolean; status: number | undefined };

/** Calls of this long ago no longer tell how a trunk is. */
const WINDOW_MS = 10 * 60_000;
const KEPT = 20;
/** Fewer calls than this prove nothing. */
const ENOUGH = 3;
/** A call whose end never comes is forgotten when so many others have begun. */
const OPEN_CALLS = 10_000;

/**
 * How the last outbound calls over each trunk ended, from the events. A call counts as the trunk's failure
 * where the trunk refused or failed it (5xx, 401, 403, 407) or was silent (408 without ringing); a callee who
 * is busy or away says nothing against the trunk.
 */
export class OutcomeWindow {
  readonly #open = new Map<string, { trunk: string; rang: boolean }>();
  readonly #ended = new Map<string, Ended[]>();

  add(event: CallEvent): void {
    if (event.type === 'call.dialing') {
      this.#open.set(event.call, { trunk: event.data.trunk, rang: false });
      const oldest = this.#open.keys().next().value;
      if (this.#open.size > OPEN_CALLS && oldest !== undefined) this.#open.delete(oldest);
      return;
    }
    const call = this.#open.get(event.call);
    if (!call) return;
    if (event.type === 'call.ringing' || event.type === 'call.answered') call.rang = true;
    if (event.type !== 'call.ended') return;
    this.#open.delete(event.call);
    const { outcome, sipStatus } = event.data;
    if (outcome === 'canceled' || outcome === 'blocked') return;
    const ended = { at: event.at, failed: isTrunkFailure(sipStatus, call.rang), status: sipStatus };
    this.#ended.set(call.trunk, [...(this.#ended.get(call.trunk) ?? []), ended].slice(-KEPT));
  }

  /** Why the trunk is degraded, where most of its recent calls failed; undefined where it is well or idle. */
  complaint(trunk: string, now: number): string | undefined {
    const recent = (this.#ended.get(trunk) ?? []).filter(({ at }) => now - at < WINDOW_MS);
    const failures = recent.filter(({ failed }) => failed);
    if (recent.length < ENOUGH || failures.length * 2 <= recent.length) return undefined;
    const statuses = new Set(failures.map(({ status }) => status ?? 'none'));
    return `${failures.length} of the last ${recent.length} calls failed (SIP status ${[...statuses].join(', ')})`;
  }
}

function isTrunkFailure(status: number | undefined, rang: boolean): boolean {
  if (status === undefined) return false;
  if (status === 408) return !rang;
  return [401, 403, 407].includes(status) || (status >= 500 && status < 600);
}
