import { laneKey, type Lane } from './claim.ts';

/** Deliveries to one receiver at a time. */
const LANE_LIMIT = 10;
/** Where the last attempt failed, one at a time tries whether the receiver is back. */
const TROUBLED_LIMIT = 1;
/** Deliveries at a time altogether: so many receivers can hang before they keep anything from others. */
const TOTAL_LIMIT = 200;
const MOST_REMEMBERED = 1000;

type State = { inFlight: number; troubled: boolean; pausedUntil: number };

/** How much may be sent to whom now, so that a slow or dead receiver takes nothing from the others. */
export class Lanes {
  readonly #states = new Map<string, State>();
  #inFlight = 0;

  get inFlight(): number {
    return this.#inFlight;
  }

  /** How many more may go to a receiver now. */
  room(lane: Lane, now: number): number {
    const state = this.#states.get(laneKey(lane));
    const total = TOTAL_LIMIT - this.#inFlight;
    if (!state) return Math.min(LANE_LIMIT, total);
    if (state.pausedUntil > now) return 0;
    return Math.min((state.troubled ? TROUBLED_LIMIT : LANE_LIMIT) - state.inFlight, total);
  }

  /** Receivers with little on its way first. */
  inOrder(lanes: readonly Lane[]): Lane[] {
    const load = (lane: Lane) => this.#states.get(laneKey(lane))?.inFlight ?? 0;
    return lanes.toSorted((a, b) => load(a) - load(b));
  }

  begin(lane: Lane): void {
    this.#inFlight += 1;
    this.#of(lane).inFlight += 1;
  }

  /** @param outcome.pauseMs how long nothing at all may go there, as the receiver asked */
  end(lane: Lane, outcome: { ok: boolean; pauseMs?: number | undefined }): void {
    const state = this.#of(lane);
    this.#inFlight -= 1;
    state.inFlight -= 1;
    state.troubled = !outcome.ok;
    state.pausedUntil = Date.now() + (outcome.pauseMs ?? 0);
    // Callbacks go to as many hosts as integrators name: not all of them can be remembered.
    const forgettable = !state.troubled || this.#states.size > MOST_REMEMBERED;
    if (state.inFlight === 0 && forgettable) this.#states.delete(laneKey(lane));
  }

  #of(lane: Lane): State {
    const key = laneKey(lane);
    const state = this.#states.get(key) ?? { inFlight: 0, troubled: false, pausedUntil: 0 };
    this.#states.set(key, state);
    return state;
  }
}
