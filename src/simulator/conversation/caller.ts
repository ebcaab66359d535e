import { asError } from '../../platform/errors.ts';
import type { Leg } from '../leg.ts';
import type { Heard } from '../recogniser.ts';
import { checkLimit, compareWords, wordsOf } from './assertions.ts';
import { StepFailed, type CallLog } from './call-log.ts';
import { lineDown } from './line-down.ts';
import { soundMs, speakingTime } from './line-time.ts';
import { voiceOf, type Ear } from './ear.ts';
import { noteInterruption, silenceAfter } from './interruption.ts';
import type { Recording } from './recording.ts';
import { agentLine, callerLine } from './spoken-line.ts';
import { wordsOfStep, type AgentStep, type CallerStep, type Step } from './schema.ts';
import { Stutter } from './stutter.ts';
import { pause, WaitedTooLong, within } from './waiting.ts';

/** How long the first sound of the agent is awaited where a step sets no limit; longer than any answer. */
const FIRST_SOUND_MS = 15_000;
/** Beyond a step's own limit, so that the report says how late it was and not only that it was. */
const LATENESS_MS = 8000;
/** The agent has finished when it has been quiet for so long. */
const FINISHED_MS = 900;
/** The recogniser tells what it was only some time after the sound. */
const RECOGNITION_MS = 800;
const HANG_UP_MS = 15_000;
/** People wait a moment before they speak. */
const REACTION_MS = 250;
/** Sound this much before the caller has finished is the agent's talking over the caller. */
const OVERLAP_MS = 150;

/** A step with the caller's line already spoken, so that no time of the call passes in it. */
export type PreparedStep = { step: Step; sound: Int16Array | undefined };

/** From when the agent's next sound is measured, and what happened then. */
type Turn = { at: number; what: string; said?: string; from?: number };

/**
 * The person on the line: goes through the steps of a conversation, listens to what the agent says, and
 * measures at the ear. Times are of the ear's clock.
 *
 * ```
 * answered ─▶ agent step: the first sound, then the whole line ─┐
 *    ▲                                                         ▼
 *    └─────── caller step: speak, press, keep silent ◀─────────┘  … ─▶ hang up
 * ```
 */
export class Caller {
  readonly #leg: Leg;
  readonly #ear: Ear;
  readonly #recording: Recording | undefined;
  readonly #log: CallLog;
  /** When the call was answered: zero of the report's times. */
  readonly #answeredAt: number;
  #turn: Turn;
  /** The line that the next step breaks in on. */
  #breaksInOn: { startedAt: number; says: string | undefined } | undefined;
  #firstSoundMs: number | undefined;
  /** The caller's last turn had pauses, in which the agent may have begun to speak. */
  #hesitated = false;

  /** Made at the moment of the answer. */
  constructor(line: { leg: Leg; ear: Ear; recording: Recording | undefined; log: CallLog }) {
    this.#leg = line.leg;
    this.#ear = line.ear;
    this.#recording = line.recording;
    this.#log = line.log;
    this.#answeredAt = line.ear.now();
    this.#turn = { at: this.#answeredAt, what: 'the answer' };
  }

  /** From the answer to the first sound of the agent. */
  get firstSoundMs(): number | undefined {
    return this.#firstSoundMs;
  }

  /**
   * Holds the conversation up to the hanging up. What goes wrong stands in the log.
   *
   * @param signal ends everything; its reason is thrown.
   */
  async converse(steps: readonly PreparedStep[], signal: AbortSignal): Promise<void> {
    const onTheLine = AbortSignal.any([lineDown(this.#leg, RECOGNITION_MS), signal]);
    try {
      for (const { step, sound } of steps) {
        if (step.agent && this.#hesitated) await this.#hearAfterHesitation(onTheLine);
        else if (step.agent) await this.#hear(step.agent, onTheLine, signal);
        this.#hesitated &&= step.agent === undefined;
        if (step.caller) await this.#act(step.caller, sound, onTheLine);
      }
      for (const heard of this.#ear.drain()) {
        this.#note(heard);
        this.#log.check({ ok: false, what: 'the agent said this though nothing was expected' });
      }
    } catch (thrown) {
      signal.throwIfAborted();
      const error = asError(thrown);
      if (!(error instanceof StepFailed || error instanceof WaitedTooLong)) throw error;
      this.#log.check({ ok: false, what: `${error.message}${this.#heardInstead()}` });
    } finally {
      // Also after an abort: the line must be given back.
      const always = new AbortController().signal;
      await within(HANG_UP_MS, 'the line to end', () => this.#leg.hangUp(), always);
    }
  }

  async #hear(step: AgentStep, onTheLine: AbortSignal, signal: AbortSignal): Promise<void> {
    const limit = step.within_ms ?? step.replies_within_ms;
    const speaks = step.says !== undefined || limit !== undefined || !step.hangs_up;
    if (speaks) {
      const startedAt = await this.#voice(limit, onTheLine);
      if (step.interrupted) {
        this.#measure(startedAt, limit);
        this.#breaksInOn = { startedAt, says: step.says };
        return;
      }
      await this.#wholeLine(step.says, limit, onTheLine);
    }
    if (step.hangs_up) {
      const end = await within(HANG_UP_MS, 'the agent to hang up', () => this.#leg.ended, signal);
      this.#log.check({ ok: end.by === 'remote', what: 'the agent hung up' });
    }
  }

  /**
   * Waits for whatever the agent says to a hesitant turn, and notes whether it began before the end of it: then
   * it has been broken off, has begun anew, and its words are no measure of anything.
   */
  async #hearAfterHesitation(signal: AbortSignal): Promise<void> {
    const { at, from = at } = this.#turn;
    const startedAt = await this.#voice(undefined, signal);
    const cutIn = this.#ear.beganBetween(from, at - OVERLAP_MS);
    this.#log.hesitations += 1;
    if (cutIn) this.#log.cutIns += 1;
    else this.#measure(startedAt, undefined);
    await this.#finished(signal);
    for (const heard of this.#ear.drain()) this.#note(heard);
    this.#log.note(cutIn ? 'the agent cut in' : 'the agent let the caller finish');
  }

  /** Waits until the agent begins to sound; when that was. */
  async #voice(limit: number | undefined, signal: AbortSignal): Promise<number> {
    const { at } = this.#turn;
    const patience = limit === undefined ? FIRST_SOUND_MS : limit + LATENESS_MS;
    const voiceAfter = (wait: AbortSignal) => this.#ear.voiceAfter(at, wait);
    return within(patience, 'the agent to speak', voiceAfter, signal);
  }

  /** Notes when the agent began to speak, as against what went before; how much later that was. */
  #measure(startedAt: number, limit: number | undefined): number {
    const { at, what } = this.#turn;
    const replyMs = startedAt - at;
    if (what === 'the answer') {
      this.#firstSoundMs ??= Math.max(0, replyMs);
      this.#log.measure('answer_to_first_word', this.#firstSoundMs);
    }
    if (what === CALLERS_VOICE) this.#log.measure('caller_to_reply', replyMs);
    if (what === CALLERS_VOICE && replyMs < -OVERLAP_MS) {
      this.#log.check({ ok: false, what: 'the agent spoke before the caller had finished' });
    }
    if (limit !== undefined) {
      this.#log.check(checkLimit(`first sound after ${what}:`, replyMs, limit));
    }
    return replyMs;
  }

  /** A reply that came in its turn: its way through the system is told once the call is over. */
  #followReply({ startedAt, text }: Heard): void {
    const { at, what, said } = this.#turn;
    if (what !== CALLERS_VOICE || said === undefined || text === null || startedAt < at) return;
    const [from, to] = [this.#ear.epoch(at), this.#ear.epoch(startedAt)];
    this.#log.turns.push({ kind: 'reply', said, from, to, reply: text });
  }

  /** Hears one line of the agent to its end, and compares it word for word. */
  async #wholeLine(
    says: string | undefined,
    limit: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const expected = wordsOf(says ?? '');
    const what = says === undefined ? 'the end of what the agent says' : `all of “${says}”`;
    const words: string[] = [];
    const stutter = new Stutter();
    for (let part = 0; ; part += 1) {
      const heard = await within(
        speakingTime(says),
        what,
        (wait) => this.#ear.nextHeard(wait),
        signal,
      );
      // A click before the line is no first word: what counts is where the line began.
      if (part === 0) this.#followReply(heard);
      this.#note(heard, part === 0 ? this.#measure(heard.startedAt, limit) : undefined);
      if (stutter.excuses(heard)) continue;
      words.push(...wordsOf(heard.text ?? ''));
      this.#turn = { at: Math.max(heard.endedAt, this.#turn.at), what: 'the line before' };
      const verdict = heard.complete ? compareWords(words, expected) : 'different';
      if (says === undefined) {
        if (!heard.complete) throw new StepFailed('what the agent said is no whole line it knows');
        if (await this.#finished(signal)) {
          this.#log.check({ ok: true, what: 'the agent was heard' });
          return;
        }
      } else if (verdict === 'whole') {
        this.#log.check({ ok: true, what: 'heard as expected, every word' });
        return;
      } else if (verdict === 'different') {
        await this.#finished(signal);
        const known = heard.text !== null && !heard.complete;
        throw new StepFailed(`expected all of “${says}”, heard ${known ? 'a part' : 'else'}`);
      }
    }
  }

  /** Waits until the agent is quiet; whether it has said all by then. */
  async #finished(signal: AbortSignal): Promise<boolean> {
    const what = 'the agent to finish';
    await within(60_000, what, (wait) => this.#ear.quiet(FINISHED_MS, wait), signal);
    return !this.#ear.hasHeard;
  }

  async #act(step: CallerStep, sound: Int16Array | undefined, signal: AbortSignal): Promise<void> {
    const interrupted = this.#breaksInOn;
    this.#breaksInOn = undefined;
    if (step.interrupts) {
      const startedAt = interrupted?.startedAt ?? this.#turn.at;
      await pause(Math.max(0, startedAt + step.interrupts.after_ms - this.#ear.now()), signal);
    } else if (!step.hangs_up || step.after_ms !== undefined) {
      await pause(step.after_ms ?? REACTION_MS, signal);
    }
    if (step.silence_ms !== undefined) {
      await pause(step.silence_ms, signal);
      this.#turn = { at: this.#ear.now(), what: 'the silence' };
    }
    if (step.presses !== undefined) {
      const { presses } = step;
      await within(30_000, 'the keys to be sent', () => this.#leg.press(presses), signal);
      this.#log.note('the caller pressed keys');
      this.#turn = { at: this.#ear.now(), what: 'the keys' };
    }
    if (step.hangs_up) await this.#leg.hangUp();
    const words = wordsOfStep(step);
    if (words !== undefined && sound) {
      await this.#speak({ ...step, says: words, onLine: interrupted?.says }, sound, signal);
      this.#hesitated = step.hesitates !== undefined;
    }
  }

  async #speak(
    step: CallerStep & { says: string; onLine: string | undefined },
    sound: Int16Array,
    signal: AbortSignal,
  ): Promise<void> {
    const agentSpoke = this.#ear.speaking;
    const spokenAt = this.#ear.now();
    const span = voiceOf(sound) ?? { startedAt: 0, endedAt: 0 };
    const voice = { startedAt: spokenAt + span.startedAt, endedAt: spokenAt + span.endedAt };
    this.#recording?.addCaller(sound, spokenAt);
    this.#log.line(callerLine(step.says, voice, this.#answeredAt));
    await within(
      soundMs(sound) + LATENESS_MS,
      'the caller’s line to be sent',
      (wait) => this.#leg.play(sound, wait),
      signal,
    );
    const { startedAt: from, endedAt: at } = voice;
    this.#turn = { at, what: CALLERS_VOICE, said: step.says, from };
    if (!step.interrupts) return;
    if (!agentSpoke) throw new StepFailed('the agent was not speaking when the caller broke in');
    const silentAt = await silenceAfter(this.#ear, voice, signal);
    await pause(RECOGNITION_MS, signal);
    noteInterruption({
      ear: this.#ear,
      log: this.#log,
      answeredAt: this.#answeredAt,
      voice,
      silentAt,
      limitMs: step.interrupts.silence_within_ms,
      onLine: step.onLine,
    });
  }

  #heardInstead(): string {
    const rest = this.#ear.drain();
    for (const heard of rest) this.#note(heard);
    if (rest.length > 0) return '; heard instead what stands above';
    const sounded = this.#ear.spans.some((span) => span.endedAt > this.#turn.at);
    return sounded ? '' : `; no sound came since ${this.#turn.what}`;
  }

  #note(heard: Heard, replyMs?: number): void {
    this.#log.line({
      ...agentLine(heard, this.#answeredAt),
      ...(replyMs === undefined ? {} : { replyMs }),
    });
  }
}

const CALLERS_VOICE = 'the caller’s voice';
