import { asError } from '../../platform/errors.ts';
import { Releases } from '../../platform/releases.ts';
import type { LegEnd } from '../leg.ts';
import { Recogniser } from '../recogniser.ts';
import { checkLimit, checkSame, formatMs } from './assertions.ts';
import { sentenceOf, StepFailed, type CallLog } from './call-log.ts';
import { Caller, type PreparedStep } from './caller.ts';
import { Ear } from './ear.ts';
import type { EngineParts } from './engine-parts.ts';
import type { LedgerCall } from './ledger-client.ts';
import { Recording } from './recording.ts';
import type { CallPlan } from './schema.ts';
import type { DialledLeg, Dialling, ExpectedCalls } from './telephony.ts';
import { stagesOf } from './turn-stages.ts';
import { aborted, within } from './waiting.ts';

/** The dispatcher gives up after less, and then the ledger tells why. */
const REACH_PHONE_MS = 100_000;
const ANSWER_MS = 45_000;
/** Where a call must not be answered, it is given up after so long. */
const UNANSWERED_MS = 15_000;
/** The longest ringing, the dispatcher's own time, and a margin. */
const OUTBOUND_END_MS = 120_000;
/** From the end of the line to the end in the ledger. */
const LEDGER_MS = 25_000;

export type CallSurroundings = {
  parts: EngineParts;
  mute: 'send' | 'receive' | undefined;
  /** Calls of the ledger that another call of the same conversation has recognised as its own. */
  claimed: Set<string>;
  record: boolean;
  log: CallLog;
  signal: AbortSignal;
};

/** One call, from dialling or ordering it to its end in the ledger. */
export class CallRun {
  readonly #plan: CallPlan;
  readonly #around: CallSurroundings;
  readonly #releases = new Releases();
  /** From dialling, or from the order, to the answer. */
  answeredAfterMs: number | undefined;
  end: LegEnd | undefined;
  callId: string | undefined;
  recording: Recording | undefined;

  constructor(plan: CallPlan, around: CallSurroundings) {
    this.#plan = plan;
    this.#around = around;
  }

  /** Runs the call. What goes wrong becomes a failed check; everything is released. */
  async run(steps: readonly PreparedStep[]): Promise<void> {
    const { log, parts } = this.#around;
    try {
      if (this.#plan.call) await this.#inbound(this.#plan.call, steps);
      else await this.#outbound(steps);
    } catch (thrown) {
      log.check({ ok: false, what: sentenceOf(thrown, parts.log) });
    } finally {
      await this.#releases.run();
    }
  }

  async #inbound(call: Dialling, steps: readonly PreparedStep[]): Promise<void> {
    const { parts, signal, claimed } = this.#around;
    const { expect } = this.#plan;
    const wantsLedger = [expect.outcome, expect.turns, expect.hung_up_by].some(
      (wanted) => wanted !== undefined,
    );
    if (wantsLedger) {
      for (const { id } of await parts.ledger.calls(undefined, signal)) claimed.add(id);
    }
    const dialledAt = performance.now();
    const dialling = parts.telephony.dial(call, signal);
    this.#releases.add('dialled leg', () => {
      // Also one that comes only after nobody waits for it any more.
      dialling.then(
        (leg) => leg.hangUp(),
        () => undefined,
      );
    });
    const leg = await within(ANSWER_MS, 'the call to leave', () => dialling, signal);
    if (expect.answered === false) await this.#mustNotBeAnswered(leg);
    else await this.#talk(leg, dialledAt, steps);
    if (!wantsLedger) return;
    const ledgerCall = await within(
      LEDGER_MS,
      'the end of the call in the ledger',
      (wait) => parts.ledger.ended((look) => this.#ownInbound(leg, look), wait),
      signal,
    );
    this.#checkLedger(ledgerCall);
    await this.#tellStages(ledgerCall.id);
  }

  /** The ledger's call of a leg that dialled in: by its SIP Call-ID, or the newest that is nobody's. */
  async #ownInbound(leg: DialledLeg, signal: AbortSignal): Promise<LedgerCall | undefined> {
    const { parts, claimed } = this.#around;
    if (leg.callId !== undefined) {
      const [own] = await parts.ledger.calls(leg.callId, signal);
      return own;
    }
    const calls = await parts.ledger.calls(undefined, signal);
    const own =
      calls.find((call) => call.id === this.callId) ??
      calls.find((call) => call.direction === 'inbound' && !claimed.has(call.id));
    if (own) {
      claimed.add(own.id);
      this.callId = own.id;
    }
    return own;
  }

  async #outbound(steps: readonly PreparedStep[]): Promise<void> {
    const { parts, signal } = this.#around;
    const { order, callee, expect } = this.#plan;
    if (!order) return;
    const expected = parts.telephony.expectCalls(order.to_number, callee);
    this.#releases.add('expected calls', () => expected.release());
    const orderedAt = performance.now();
    const callId = await parts.ledger.order(order, signal);
    const over = new AbortController();
    const ended = parts.ledger.ended(
      (look) => parts.ledger.call(callId, look),
      AbortSignal.any([signal, over.signal]),
    );
    ended.catch(() => undefined);
    this.#releases.add('question to the ledger', () => over.abort(new Error('the call is over')));
    if (steps.length === 0) void hangUpWhenAnswered(expected, signal);
    else {
      const leg = await within(
        REACH_PHONE_MS,
        'the call to reach the phone',
        (wait) => Promise.race([expected.next(wait), neverReached(ended)]),
        signal,
      );
      await this.#talk(leg, orderedAt, steps);
    }
    const ledgerCall = await within(
      steps.length > 0 ? LEDGER_MS : OUTBOUND_END_MS,
      'the end of the call in the ledger',
      () => ended,
      signal,
    );
    this.#checkLedger(ledgerCall);
    const { log } = this.#around;
    log.check(...checkSame('SIP status', ledgerCall.sipStatus, expect.sip_status));
    log.check(...checkSame('calls that reached the phone', expected.invites(), expect.invites));
    await this.#tellStages(ledgerCall.id);
  }

  /** Waits for the answer, holds the conversation, and notes how the line ended. */
  async #talk(leg: DialledLeg, since: number, steps: readonly PreparedStep[]): Promise<void> {
    const { parts, log, signal, mute, record } = this.#around;
    const { expect } = this.#plan;
    this.#releases.add('leg', () => leg.hangUp());
    if (mute) leg.mute(mute, true);
    const recording = record ? new Recording() : undefined;
    this.recording = recording;
    const recogniser = new Recogniser(parts.agentLines);
    // Workers keep the sound of greetings, so that the stand-in of the TTS need not be asked for it.
    recogniser.onHeard(({ text }) => text !== null && parts.agentLines.use(text));
    const ear = new Ear(leg, recogniser, (frame, at) => recording?.addAgent(frame, at));
    this.#releases.add('ear', () => ear.close());
    await within(ANSWER_MS, 'the call to be answered', () => answerOf(leg), signal);
    this.answeredAfterMs = Math.round(performance.now() - since);
    log.measure(this.#plan.call ? 'dialling_to_answer' : 'order_to_answer', this.answeredAfterMs);
    if (expect.answered_within_ms === undefined) {
      log.note(`answered after ${formatMs(this.answeredAfterMs)}`);
    } else {
      log.check(checkLimit('answered after', this.answeredAfterMs, expect.answered_within_ms));
    }
    const caller = new Caller({ leg, ear, recording, log });
    await caller.converse(steps, signal);
    this.end = await leg.ended;
    const limit = expect.heard_first_word_within_ms;
    if (limit === undefined) return;
    const heard = caller.firstSoundMs;
    log.check(
      heard === undefined
        ? { ok: false, what: 'the agent was never heard' }
        : checkLimit('first word heard after', heard, limit),
    );
  }

  /** A call that must not be answered: it is refused, or rings until it is given up. */
  async #mustNotBeAnswered(leg: DialledLeg): Promise<void> {
    const { log, signal } = this.#around;
    this.#releases.add('leg', () => leg.hangUp());
    const givenUp = setTimeout(() => void leg.hangUp(), UNANSWERED_MS);
    const answered = leg.answered.then(
      () => true,
      () => false,
    );
    try {
      const was = await Promise.race([answered, aborted(signal)]);
      log.check({ ok: !was, what: was ? 'the call was answered' : 'the call was not answered' });
    } finally {
      clearTimeout(givenUp);
    }
    await leg.hangUp();
    this.end = await leg.ended;
    log.check(...checkSame('SIP status', this.end.status, this.#plan.expect.sip_status));
  }

  /** Which way the turns went that were measured at the ear. */
  async #tellStages(callId: string): Promise<void> {
    const { log, parts, signal } = this.#around;
    if (log.turns.length === 0) return;
    const turns = await parts.ledger.turns(callId, signal);
    for (const turn of log.turns) {
      for (const { name, ms } of stagesOf(turn, parts.diary, turns)) log.measure(name, ms);
    }
  }

  #checkLedger(call: LedgerCall): void {
    const { log } = this.#around;
    const { expect } = this.#plan;
    this.callId = call.id;
    log.check(
      ...checkSame('outcome', call.outcome, expect.outcome),
      ...checkSame('hung up by', call.hungUpBy, expect.hung_up_by),
      ...checkSame('turns in the ledger', call.turns, expect.turns),
    );
  }
}

/** Rejects when a call ends in the ledger though it was to reach the phone. */
async function neverReached(ended: Promise<LedgerCall>): Promise<never> {
  const { outcome, reason } = await ended;
  throw new StepFailed(`the call never reached the phone: ${outcome}. ${reason}`.trim());
}

/** @throws {StepFailed} when the leg ends before it is answered. */
async function answerOf(leg: DialledLeg): Promise<void> {
  try {
    await leg.answered;
  } catch (thrown) {
    throw new StepFailed(asError(thrown).message);
  }
}

/** Where nothing is to be said, an answered call is at once over. */
async function hangUpWhenAnswered(expected: ExpectedCalls, signal: AbortSignal): Promise<void> {
  try {
    const leg = await expected.next(signal);
    await leg.answered;
    await leg.hangUp();
  } catch {
    // It was never answered, which is for the ledger to tell.
  }
}
