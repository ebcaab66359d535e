import type { Heard } from '../recogniser.ts';

/** Sound shorter than this is never told to be a line: the ears have too little of it. */
const SHORTEST_TOLD_MS = 450;

/**
 * Where a machine has no time a line may break off after its first frames and begin again. One such sound a
 * step, too short for the ears to tell, stands in the report and is not judged; the line that follows is.
 */
export class Stutter {
  #excused = false;

  /** Whether this is the one sound of the step that is not judged. */
  excuses({ text, startedAt, endedAt }: Heard): boolean {
    if (this.#excused || text !== null || endedAt - startedAt >= SHORTEST_TOLD_MS) return false;
    this.#excused = true;
    return true;
  }
}
