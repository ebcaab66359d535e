import type { Vacant } from './lost-agents.ts';

/** A worker that lost one of its hosts looks for another of its own for 3 s. */
const LEFT_TO_OTHERS_MS = 3500;

/**
 * An agent attends its call some 600 ms after it was asked for. livekit-server may have given the job to a worker
 * that is cut off, and would wait 10 s for its answer: the next may go to another. Of two that come, one stays.
 */
const ASK_AGAIN_MS = 1500;

/** How long a caller is left without anybody, from when we know of it; and how long an agent that was asked for has. */
const GIVE_UP_MS = 7000;
const ASKED_MS = 3000;

/** With no worker alive there is nobody to wait for: its restart takes longer than anybody's patience. */
const NOBODY_MS = 1500;

/** livekit-sip joins again some 6 s after a restart of livekit-server. */
const OLD_MS = 15_000;

/** An agent that is in the room for so long and does not attend the call is one of a lost process. */
const IDLE_AGENT_MS = 2500;

/** A call without an agent, as the watch sees it over time. Times in ms, on the monotonic clock. */
export class Vacancy {
  readonly #agent: string;
  readonly #ours: boolean;
  readonly #since: number;
  readonly #agents = new Map<string, number>();
  #dueAt: number;
  #askedAt: number | undefined;

  constructor(vacant: Vacant, now: number, whose: 'ours' | 'left to us') {
    this.#agent = vacant.agent;
    this.#ours = whose === 'ours';
    this.#since = now;
    this.#dueAt = this.#ours ? now : now + LEFT_TO_OTHERS_MS;
  }

  isOf(vacant: Vacant): boolean {
    return vacant.agent === this.#agent;
  }

  /** Whether it is time to ask for an agent. */
  isDue(now: number): boolean {
    return now >= this.#dueAt;
  }

  postponed(now: number): void {
    this.#dueAt = now + ASK_AGAIN_MS;
  }

  /** One was asked for, and LiveKit has taken it. */
  asked(now: number): 'first' | 'again' {
    const first = this.#askedAt === undefined;
    this.#askedAt ??= now;
    return first ? 'first' : 'again';
  }

  /**
   * Which of the agents in the room have no business there: the lost one, all that were there when the call was
   * taken from it, and who has been there for some time without attending the call.
   */
  gone(agents: readonly string[], now: number): string[] {
    const taken = this.#ours && this.#askedAt === undefined;
    for (const agent of agents) {
      if (!this.#agents.has(agent)) this.#agents.set(agent, now);
    }
    return agents.filter(
      (agent) =>
        taken || agent === this.#agent || now - (this.#agents.get(agent) ?? now) > IDLE_AGENT_MS,
    );
  }

  /** Whether nobody is to be expected any more. @param nobodyMs for how long no worker has lived */
  isHopeless(now: number, nobodyMs: number): boolean {
    if (nobodyMs >= NOBODY_MS) return true;
    const asked = this.#askedAt !== undefined && now - this.#askedAt >= ASKED_MS;
    return asked && now - this.#since >= GIVE_UP_MS;
  }

  isOld(now: number): boolean {
    return now - this.#since >= OLD_MS;
  }
}
