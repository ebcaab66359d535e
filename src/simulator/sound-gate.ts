/** Below this a telephone line is quiet whatever the floor: G.711's idle noise lies at about -75 dB. */
const QUIET_DB = -58;
const ABOVE_FLOOR_DB = 6;
/** Speech dips to the background at least this often: 1.6 s. */
const FLOOR_FRAMES = 80;
/** A shorter past says nothing of the floor: 0.8 s. */
const LEAST_FLOOR_FRAMES = 40;
/** The share of frames that may lie below the floor: packets that were lost are quieter than the background. */
const BELOW_FLOOR = 0.07;
/** A level that stays within a few dB for 400 ms is background: no voice holds still so long. */
const STEADY_FRAMES = 20;
const STEADY_RANGE_DB = 4;

/** Tells sound from background, 20 ms frame by frame, by its level in the telephone band. */
export class SoundGate {
  readonly #levels: number[] = [];
  #steady = QUIET_DB;

  /** Whether a frame of this level (dB of full scale) stands out of the background. */
  isSound(level: number): boolean {
    this.#levels.push(level);
    if (this.#levels.length > FLOOR_FRAMES) this.#levels.shift();
    return level > Math.max(QUIET_DB, this.#floor() + ABOVE_FLOOR_DB);
  }

  #floor(): number {
    if (this.#levels.length >= STEADY_FRAMES) {
      const recent = this.#levels.slice(-STEADY_FRAMES).sort((a, b) => a - b);
      // Two lost packets and one crackle do not make a background unsteady.
      const loudest = recent.at(-2)!;
      if (loudest - recent[2]! < STEADY_RANGE_DB) {
        this.#steady = loudest;
        return loudest;
      }
    }
    if (this.#levels.length < LEAST_FLOOR_FRAMES) return this.#steady;
    const sorted = this.#levels.slice().sort((a, b) => a - b);
    const lowest = sorted[Math.floor(BELOW_FLOOR * sorted.length)]!;
    // Until the past is long enough, speech that follows at once would be taken for its own background.
    return this.#levels.length < FLOOR_FRAMES ? Math.min(lowest, this.#steady) : lowest;
  }
}
