import { maskNumber } from '../../platform/mask.ts';
import type { LegEnd } from '../leg.ts';
import type { Behaviour } from './behaviours.ts';
import { sameNumber } from './expectations.ts';
import type { PhoneLeg } from './sip-call.ts';

/** A call that reached the phone, and what the far end did with it. Times are ms since the epoch. */
export type Invite = {
  callId: string;
  toMasked: string;
  at: number;
  /** Keys that the far end has sent (RFC 4733). */
  keys: string;
  /** Refer-To of each REFER. */
  transfers: readonly string[];
  /** How it ended: `remote` with 487 is a CANCEL, without a status a BYE of the far end. */
  end: (LegEnd & { at: number }) | null;
};

type Entry = Invite & { to: string; behaviour: Behaviour };

const MOST_ENTRIES = 10_000;

/**
 * The calls that reached the phone, counted by their Call-IDs: an INVITE that is repeated, or sent again
 * with credentials, is one call.
 */
export class InviteLog {
  readonly #entries = new Map<string, Entry>();

  /** What was decided when this call first came; undefined where it is new. */
  behaviourOf(callId: string): Behaviour | undefined {
    return this.#entries.get(callId)?.behaviour;
  }

  add(callId: string, to: string, behaviour: Behaviour): void {
    if (this.#entries.has(callId)) return;
    this.#entries.set(callId, {
      callId,
      to,
      behaviour,
      toMasked: maskNumber(to),
      at: Date.now(),
      keys: '',
      transfers: [],
      end: null,
    });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MOST_ENTRIES) break;
      this.#entries.delete(oldest);
    }
  }

  /** From now on what the far end does with the call is noted. */
  follow(leg: PhoneLeg): void {
    const entry = this.#entries.get(leg.callId);
    if (!entry) return;
    entry.transfers = leg.transfers;
    leg.onKey((key) => (entry.keys += key));
    void leg.ended.then((end) => (entry.end = { ...end, at: Date.now() }));
  }

  /** Oldest first; those of one number where it is given. */
  list(number?: string): Invite[] {
    return [...this.#entries.values()]
      .filter(({ to }) => number === undefined || sameNumber(to, number))
      .map(({ to: _to, behaviour: _behaviour, ...invite }) => invite);
  }
}
