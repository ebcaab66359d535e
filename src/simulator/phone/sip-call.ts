import { randomBytes } from 'node:crypto';
import { asError } from '../../platform/errors.ts';
import { UnansweredError, type Leg, type LegEnd } from '../leg.ts';
import { areKeys } from './dtmf.ts';
import type { G711, G711Name } from '../../platform/g711.ts';
import type { RtpSession, RtpStats } from './rtp-session.ts';
import {
  EVENT_TYPE,
  answeredDirection,
  chooseCodec,
  codecsOf,
  writeSdp,
  type Direction,
  type MediaDescription,
} from './sdp.ts';
import type { TimerSet } from './timer-set.ts';

/** How long a polite goodbye is waited for before the leg counts as ended all the same. */
const GOODBYE_MS = 2000;

/** What a call of the phone can do beyond a leg. */
export interface PhoneLeg extends Leg {
  /** SIP's name of the call; holds no number. */
  readonly callId: string;
  /** Puts the far end on hold, or takes it back, by a re-INVITE. Resolves with the far end's status. */
  hold(held: boolean): Promise<number>;
  /** Where the far end has asked the phone to go (Refer-To of each REFER), oldest first. */
  readonly transfers: readonly string[];
  /** Packets and frames so far: for tests that count what was lost. */
  stats(): RtpStats;
}

/** How a call tells the far end something; the parts that differ between caller and callee. */
export type Signalling = {
  /** Ends the call towards the far end: CANCEL, a refusal, or BYE. */
  sayGoodbye: () => void;
  /** Sends a re-INVITE with a new session description; resolves with the final status. */
  reinvite: (sdp: string) => Promise<number>;
};

/**
 * One call of the phone: its state and its sound. The signalling is done by whoever made it.
 *
 *   early ──answer()──▶ answered ──▶ ended
 *     └────────end()──────────────────▲
 */
export class SipCall implements PhoneLeg {
  readonly id = `phone_${randomBytes(6).toString('hex')}`;
  readonly callId: string;
  readonly answered: Promise<void>;
  readonly ended: Promise<LegEnd>;
  readonly transfers: string[] = [];
  readonly #media: RtpSession;
  readonly #timers: TimerSet;
  readonly #codecs: readonly G711Name[];
  readonly #host: string;
  #state: 'early' | 'answered' | 'ended' = 'early';
  #signalling: Signalling | undefined;
  #resolveAnswered: () => void = () => {};
  #rejectAnswered: (error: Error) => void = () => {};
  #resolveEnded: (end: LegEnd) => void = () => {};
  #codec: G711 | undefined;
  #far: MediaDescription | undefined;
  #held = false;
  #version = 1;
  #goodbyeSaid = false;

  constructor(options: {
    callId: string;
    host: string;
    media: RtpSession;
    timers: TimerSet;
    codecs: readonly G711Name[];
  }) {
    this.callId = options.callId;
    this.#host = options.host;
    this.#media = options.media;
    this.#timers = options.timers;
    this.#codecs = options.codecs;
    const answered = Promise.withResolvers<void>();
    this.answered = answered.promise;
    this.#resolveAnswered = answered.resolve;
    this.#rejectAnswered = answered.reject;
    // Nobody may be waiting for the answer of a call that is refused.
    this.answered.catch(() => {});
    const ended = Promise.withResolvers<LegEnd>();
    this.ended = ended.promise;
    this.#resolveEnded = ended.resolve;
  }

  get state(): 'early' | 'answered' | 'ended' {
    return this.#state;
  }

  /** Must be called before anything else of the call is used. */
  use(signalling: Signalling): void {
    this.#signalling = signalling;
  }

  onSound(listener: (frame: Int16Array) => void): () => void {
    return this.#media.onSound(listener);
  }

  onKey(listener: (key: string) => void): () => void {
    return this.#media.onKey(listener);
  }

  /** @throws {UnansweredError} where the call ended before it was answered. */
  async play(sound: Int16Array, signal?: AbortSignal): Promise<void> {
    await this.answered;
    await this.#media.play(sound, signal);
  }

  /** @throws Error where a character is no key; {UnansweredError} where the call was never answered. */
  async press(keys: string): Promise<void> {
    if (!areKeys(keys)) throw new Error('a telephone has the keys 0-9, *, #, A-D only');
    await this.answered;
    await this.#media.press(keys);
  }

  mute(direction: 'send' | 'receive', muted: boolean): void {
    this.#media.mute(direction, muted);
  }

  stats(): RtpStats {
    return this.#media.stats;
  }

  async hold(held: boolean): Promise<number> {
    await this.answered;
    this.#held = held;
    this.#version++;
    return (await this.#signalling?.reinvite(this.offer())) ?? 481;
  }

  async hangUp(): Promise<void> {
    if (this.#state !== 'ended' && !this.#goodbyeSaid) {
      this.#goodbyeSaid = true;
      this.#signalling?.sayGoodbye();
      this.#timers.after(GOODBYE_MS, () =>
        this.end({ by: 'local', reason: 'hung up; the far end did not confirm it' }),
      );
    }
    await this.ended;
  }

  /** Whether this side has begun to end the call. */
  get leaving(): boolean {
    return this.#goodbyeSaid;
  }

  /** Our session description as an offer. */
  offer(): string {
    return this.#describe(codecsOf(this.#codecs), EVENT_TYPE, this.#held ? 'sendonly' : 'sendrecv');
  }

  /** Our answer to the far end's offer; undefined where there is no codec or no permitted address. */
  answerTo(offer: MediaDescription): string | undefined {
    if (!this.accept(offer) || !this.#codec) return undefined;
    this.#version++;
    return this.#describe([this.#codec], offer.eventType, answeredDirection(offer.direction));
  }

  /** Takes over what the far end says of its sound; false where it cannot be used. */
  accept(far: MediaDescription): boolean {
    const codec = chooseCodec(this.#codecs, far);
    if (!codec || !this.#media.permits(far.peer)) return false;
    this.#codec = codec;
    this.#far = far;
    if (this.#state === 'answered') this.#agree(codec, far);
    return true;
  }

  /** The call is answered: sound begins. */
  answer(): void {
    if (this.#state !== 'early') return;
    this.#state = 'answered';
    if (this.#codec && this.#far) this.#agree(this.#codec, this.#far);
    this.#resolveAnswered();
  }

  /** The call is over: sound stops, the port is free. Only the first end counts. */
  end(end: LegEnd): void {
    if (this.#state === 'ended') return;
    const unanswered = this.#state === 'early';
    this.#state = 'ended';
    const finish = () => {
      if (unanswered) this.#rejectAnswered(new UnansweredError(end));
      this.#resolveEnded(end);
    };
    this.#media.close().then(finish, (thrown: unknown) => {
      this.#rejectAnswered(asError(thrown));
      finish();
    });
  }

  #agree(codec: G711, far: MediaDescription): void {
    this.#media.agree({
      peer: far.peer,
      codec,
      eventType: far.eventType,
      sending: far.direction === 'sendrecv' || far.direction === 'recvonly',
    });
  }

  #describe(codecs: readonly G711[], eventType: number | undefined, direction: Direction): string {
    const { port } = this.#media;
    return writeSdp({
      host: this.#host,
      port,
      codecs,
      eventType,
      direction,
      version: this.#version,
    });
  }
}
