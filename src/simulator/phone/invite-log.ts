import { maskNumber } from '../../platform/mask.ts';
import type { Behaviour } from './behaviours.ts';
import { sameNumber } from './expectations.ts';

/** A call that reached the phone. `at` is in ms since the epoch. */
export type Invite = { callId: string; toMasked: string; at: number };

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
    });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MOST_ENTRIES) break;
      this.#entries.delete(oldest);
    }
  }

  /** Oldest first; those of one number where it is given. */
  list(number?: string): Invite[] {
    return [...this.#entries.values()]
      .filter(({ to }) => number === undefined || sameNumber(to, number))
      .map(({ callId, toMasked, at }) => ({ callId, toMasked, at }));
  }
}
