import { attendanceOf, vacate } from '../call/attendance.ts';
import type { CallId } from '../call/call-id.ts';
import type { Redis } from '../platform/redis.ts';

/** An agent whose connection breaks joins again within this time, or its worker puts another in its place. */
const REPLACED_MS = 3000;

/** So long may it ring without an agent, of which one is asked for again and again; see `attendance-watch.ts`. */
const LOST_MS = 10_000;

/** How often an agent that nobody knows of is missed before it counts as gone. */
const UNKNOWN_LOOKS = 2;

/**
 * Whether a phone that rings may go on doing so. It is not dialled again, and who picks up must find somebody
 * there: an agent that is lost while it rings is replaced, and where none is to be had the INVITE is cancelled.
 */
export class RingingAgent {
  readonly #redis: Redis;
  readonly #callId: CallId;
  #missedSince: number | undefined;
  #looks = 0;

  constructor(redis: Redis, callId: CallId) {
    this.#redis = redis;
    this.#callId = callId;
  }

  /**
   * @param present whether an agent is in the room
   * @param now ms on the monotonic clock
   * @returns true where the call is to be cancelled
   */
  async isLost(present: boolean, now: number): Promise<boolean> {
    this.#missedSince = present ? undefined : (this.#missedSince ?? now);
    this.#looks = present ? 0 : this.#looks + 1;
    if (this.#missedSince === undefined) return false;
    const attendance = await attendanceOf(this.#redis, this.#callId);
    if (!attendance) return this.#looks >= UNKNOWN_LOOKS;
    const missedMs = now - this.#missedSince;
    if (attendance.state === 'attended' && missedMs >= REPLACED_MS) {
      // Its host lives, or the watchdog would have found it; the agent is gone all the same.
      await vacate(this.#redis, this.#callId, { agent: attendance.agent, cause: 'host_stuck' });
    }
    return missedMs >= LOST_MS;
  }
}
