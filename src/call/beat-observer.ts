/** Which processes of a fleet have been seen to live lately. */
export type Lives = (id: string) => boolean;

/** A process whose beat stood still for so long is lost; hosts beat every second. */
const SILENT_MS = 3500;

/**
 * The same for one that has not been seen to beat since we look: we have just begun, or Redis was away, and
 * its clients try again only every 2 s.
 */
const NEVER_SEEN_MS = 10_000;

/** One look counts for no more than this: for the rest of the time we were asleep, or waited for Redis. */
const LOOK_COUNTS_MS = 1500;

/** After so long without a look, what was seen before says nothing about now. */
const INTERRUPTION_MS = 5000;

type Seen = { beat: string | undefined; silentMs: number; alive: boolean };

/**
 * Tells the living from the lost by whether their beats *change*, on the observer's own monotonic clock: the
 * clocks of machines differ and are put right, and what cannot be seen is not to be taken for gone.
 */
export class BeatObserver {
  readonly #seen = new Map<string, Seen>();
  #lookedAt: number | undefined;
  #nobodyMs = 0;

  /**
   * One successful look.
   *
   * @param beats all beats of the fleet, by the ids of its processes, as they stand in Redis
   * @param expected processes that ought to be there, whether they have a beat or not
   * @param now ms on the monotonic clock
   * @returns false for those that are lost. Whoever is new is given the time to beat.
   */
  look(beats: Readonly<Record<string, string>>, expected: Iterable<string>, now: number): Lives {
    const gap = now - (this.#lookedAt ?? now);
    this.#lookedAt = now;
    if (gap > INTERRUPTION_MS) this.#forget();
    const ids = new Set([...Object.keys(beats), ...expected]);
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
    const elapsedMs = Math.min(gap, LOOK_COUNTS_MS);
    for (const id of ids) this.#note(id, beats[id], elapsedMs);
    const anybody = [...this.#seen.values()].some((seen) => !isLost(seen));
    this.#nobodyMs = anybody ? 0 : this.#nobodyMs + elapsedMs;
    return (id) => {
      const seen = this.#seen.get(id);
      return seen === undefined || !isLost(seen);
    };
  }

  /** For how long everybody has been lost, or nobody has been there at all; of the time in which we looked, in ms. */
  get nobodyMs(): number {
    return this.#nobodyMs;
  }

  /** A look that failed: nothing is known any more, and everybody is given time anew. */
  interrupted(): void {
    this.#forget();
    this.#lookedAt = undefined;
  }

  #forget(): void {
    this.#seen.clear();
    this.#nobodyMs = 0;
  }

  #note(id: string, beat: string | undefined, elapsedMs: number): void {
    const seen = this.#seen.get(id);
    if (!seen) {
      this.#seen.set(id, { beat, silentMs: 0, alive: false });
    } else if (beat === undefined || beat === seen.beat) {
      // A beat that is taken away, as by a process that stops, is no sign of life.
      seen.silentMs += elapsedMs;
    } else {
      this.#seen.set(id, { beat, silentMs: 0, alive: true });
    }
  }
}

function isLost({ silentMs, alive }: Seen): boolean {
  return silentMs >= (alive ? SILENT_MS : NEVER_SEEN_MS);
}
