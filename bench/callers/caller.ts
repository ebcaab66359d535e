import { setTimeout as delay } from 'node:timers/promises';
import { Ear, voiceOf } from '../../src/simulator/conversation/ear.ts';
import type { Leg, LegEnd } from '../../src/simulator/leg.ts';
import type { SipPhone } from '../../src/simulator/phone/sip-phone.ts';
import { NUMBER } from '../contender/greeting.ts';
import type { CallerLeg } from './caller-leg.ts';

const FROM = '+12025550149';
/** A caller gives up when nobody has answered for so long. */
const PATIENCE_MS = 20_000;
/** A caller who hears nothing for so long says something again. */
const SILENCE_MS = 8000;
/** The agent has finished when it has been quiet for so long. */
const FINISHED_MS = 500;
const LONGEST_SENTENCE_MS = 30_000;
const BREAK_IN_MS = 400;

/** The bench needs no words: sound is enough. */
const NO_RECOGNISER = {
  feed: () => undefined,
  onHeard: () => () => undefined,
  close: () => undefined,
};

/** A person who calls and talks with the agent for as long as is asked. */
export class Caller {
  readonly ear: Ear;
  /** From the end of the caller's voice to the agent's. */
  readonly repliesMs: number[] = [];
  /** How often nothing came for 8 s. */
  unanswered = 0;
  answeredAfterMs: number | undefined;
  /** From the answer. */
  firstWordAfterMs: number | undefined;
  /** How the call ended, where it was not this side that ended it. */
  cut: LegEnd | undefined;
  readonly #leg: CallerLeg;
  #leaving = false;

  private constructor(leg: CallerLeg) {
    this.#leg = leg;
    // The ear only listens.
    this.ear = new Ear(leg as Leg, NO_RECOGNISER);
    void this.#noteEnd();
  }

  /** Dials by the simulator's SIP phone and waits for the answer, at most 20 s; `answeredAfterMs` tells whether it came. */
  static async dial(phone: SipPhone, trunkHost: string): Promise<Caller> {
    const dialledAt = performance.now();
    const leg = await phone.call({ to: NUMBER, from: FROM, trunkHost });
    const caller = new Caller(leg);
    const given = new AbortController();
    const answered = await Promise.race([
      leg.answered.then(
        () => true,
        () => false,
      ),
      delay(PATIENCE_MS, false, { signal: given.signal }).catch(() => false),
    ]);
    given.abort();
    if (answered) caller.answeredAfterMs = performance.now() - dialledAt;
    else await caller.hangUp();
    return caller;
  }

  /** Somebody who is in the room already, as by WebRTC. */
  static on(leg: CallerLeg): Caller {
    const caller = new Caller(leg);
    caller.answeredAfterMs = 0;
    return caller;
  }

  /**
   * Hears the greeting, then says the lines in turn, each when the agent has finished, until told to stop.
   *
   * @param thinkMs how long the caller is silent before each line
   */
  async talk(lines: readonly Int16Array[], stop: AbortSignal, thinkMs: number = 0): Promise<void> {
    if (this.answeredAfterMs === undefined) return;
    const over = AbortSignal.any([stop, this.#lineDown()]);
    let turnAt = this.ear.now();
    for (let line = 0; !over.aborted; line += 1) {
      const startedAt = await limited(SILENCE_MS, over, (wait) =>
        this.ear.voiceAfter(turnAt, wait),
      );
      if (over.aborted) return;
      if (startedAt === undefined) this.unanswered += 1;
      else if (line === 0) this.firstWordAfterMs = startedAt - turnAt;
      else this.repliesMs.push(startedAt - turnAt);
      await limited(LONGEST_SENTENCE_MS, over, (wait) => this.ear.quiet(FINISHED_MS, wait));
      if (thinkMs > 0) await delay(thinkMs, undefined, { signal: over }).catch(() => undefined);
      const sound = lines[line % lines.length];
      if (over.aborted || !sound) return;
      turnAt = this.ear.now() + (voiceOf(sound)?.endedAt ?? 0);
      await this.#leg.play(sound, over).catch(() => undefined);
    }
  }

  /** Breaks in on the greeting with one line, and hears the answer begin. */
  async exchange(line: Int16Array, stop: AbortSignal): Promise<void> {
    const over = AbortSignal.any([stop, this.#lineDown()]);
    const greeting = await limited(SILENCE_MS, over, (wait) => this.ear.voiceAfter(0, wait));
    if (greeting === undefined) this.unanswered += 1;
    else this.firstWordAfterMs = greeting;
    await delay(BREAK_IN_MS, undefined, { signal: over }).catch(() => undefined);
    const turnAt = this.ear.now() + (voiceOf(line)?.endedAt ?? 0);
    await this.#leg.play(line, over).catch(() => undefined);
    if (over.aborted) return;
    const reply = await limited(SILENCE_MS, over, (wait) => this.ear.voiceAfter(turnAt, wait));
    if (reply === undefined) this.unanswered += 1;
    else this.repliesMs.push(reply - turnAt);
  }

  async hangUp(): Promise<void> {
    this.#leaving = true;
    await this.#leg.hangUp();
    this.ear.close();
  }

  async #noteEnd(): Promise<void> {
    const end = await this.#leg.ended;
    if (!this.#leaving) this.cut = end;
  }

  #lineDown(): AbortSignal {
    const down = new AbortController();
    void this.#leg.ended.then(() => down.abort());
    return down.signal;
  }
}

/** What is waited for, or undefined where it does not come in time or the wait is given up. */
async function limited<T>(
  ms: number,
  signal: AbortSignal,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), ms);
  try {
    return await wait(AbortSignal.any([limit.signal, signal]));
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
