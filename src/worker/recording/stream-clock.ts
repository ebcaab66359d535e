import { RECORDING_RATE } from '../../call/recording/mu-law-wav.ts';

type Chunk = { startsAt: number; sound: Int16Array };

/** Chunks that come so much off their time are still in step: how exactly timers and threads keep time. */
const JITTER_MS = 60;

/** What comes late for so long is no hiccup of this process: the stream had a gap. */
const GAP_MS = 500;

/**
 * Finds out when the chunks of a stream sounded. They carry no time, and come late when this process was
 * busy: chunks that catch up again are put where they belong, one after the other; those that do not follow
 * a gap.
 */
export class StreamClock {
  readonly #place: (at: number, sound: Int16Array) => void;
  /** When the next chunk begins if the stream has no gap. */
  #next: number | undefined;
  /** Late ones, of which is not known yet whether they follow a gap. */
  #waiting: Chunk[] = [];

  constructor(place: (at: number, sound: Int16Array) => void) {
    this.#place = place;
  }

  /** @param arrivedAt when the chunk was here as a whole, ms */
  push(sound: Int16Array, arrivedAt: number): void {
    const startsAt = arrivedAt - durationOf(sound);
    this.#next ??= startsAt;
    this.#waiting.push({ startsAt, sound });
    const lateness = startsAt - this.#expected();
    const first = this.#waiting[0];
    if (lateness <= JITTER_MS) this.#placeAll(lateness);
    else if (first && startsAt - first.startsAt >= GAP_MS) this.flush();
  }

  /** Places what has waited: nothing more comes, or there was a gap. */
  flush(): void {
    let at = this.#next ?? 0;
    let gap = Number.POSITIVE_INFINITY;
    for (const { startsAt, sound } of this.#waiting) {
      gap = Math.min(gap, startsAt - at);
      at += durationOf(sound);
    }
    if (this.#next !== undefined && this.#waiting.length > 0) this.#next += gap;
    this.#placeAll(0);
  }

  /** When the newest chunk would begin without a gap. */
  #expected(): number {
    const before = this.#waiting.slice(0, -1);
    return before.reduce((at, { sound }) => at + durationOf(sound), this.#next ?? 0);
  }

  /** @param lateness of the newest chunk; where it is early by more than jitter, sound must go. */
  #placeAll(lateness: number): void {
    let at = this.#next ?? 0;
    let surplus = lateness < -JITTER_MS ? Math.round((-lateness * RECORDING_RATE) / 1000) : 0;
    for (const { sound } of this.#waiting) {
      const kept = sound.subarray(Math.min(surplus, sound.length));
      surplus -= sound.length - kept.length;
      this.#place(at, kept);
      at += durationOf(kept);
    }
    this.#next = at;
    this.#waiting = [];
  }
}

function durationOf(sound: Int16Array): number {
  return (sound.length / RECORDING_RATE) * 1000;
}
