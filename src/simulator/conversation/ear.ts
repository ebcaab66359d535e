import { FRAME_SAMPLES, type Leg } from '../leg.ts';
import type { Heard } from '../recogniser.ts';
import { loudness, VOICE_RMS } from '../voice-level.ts';
import { aborted } from './waiting.ts';

const FRAME_MS = 20;
const TICK_MS = 50;
/** A tick later than this means that our own process stood still. */
const LATE_MS = 30;
/** … and that for so long the sound of that time comes in a burst. */
const BURST_MS = 120;
/** So many punctual ticks without a frame, and the line is taken to be silent. */
const SILENT_TICKS = 3;
/** So far behind the clock, silence is stretched; frames come in pairs where a process is late. */
const BEHIND_MS = 40;
/** So far ahead of it silence is shortened, since what sounds then would seem to come late. */
const AHEAD_MS = 10;
/** A pause shorter than this, as between words, does not end a span of voice. */
const PAUSE_MS = 200;
/** Within speech the stream is left alone, else its pauses would change; so long after it, it is put right. */
const SILENCE_MS = 300;
/** What the recogniser needs after a line to tell that it is over, with some to spare. */
const AFTER_THE_END_MS = 800;
/** Shorter sounds are clicks. */
const CLICK_MS = 40;

/** Voice without a long pause; times in ms on the ear's clock. */
export type VoiceSpan = { startedAt: number; endedAt: number };

type Listening = {
  feed(frame: Int16Array): void;
  onHeard(listener: (heard: Heard) => void): () => void;
  close(): void;
};

/**
 * The caller's ear: makes of the frames that arrive a stream that keeps time with the clock (silence
 * where nothing arrives), so that places in the stream are times, and recognises what is said.
 */
export class Ear {
  readonly #startedAt = performance.now();
  readonly #recogniser: Listening;
  readonly #record: ((frame: Int16Array, at: number) => void) | undefined;
  readonly #heard: Heard[] = [];
  readonly #wakers = new Set<() => void>();
  readonly #releases: (() => void)[] = [];
  readonly spans: VoiceSpan[] = [];
  #streamMs = 0;
  #silentTicks = 0;
  #tickedAt = 0;
  #burstUntil = 0;
  #closed = false;

  constructor(leg: Leg, recogniser: Listening, record?: (frame: Int16Array, at: number) => void) {
    this.#recogniser = recogniser;
    this.#record = record;
    const ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#releases.push(
      () => clearInterval(ticker),
      leg.onSound((frame) => this.#arrive(frame)),
      recogniser.onHeard((heard) => {
        this.#heard.push(heard);
        this.#wake();
      }),
    );
    void leg.ended.then(() => this.#conclude());
  }

  /** Milliseconds since the ear was opened: the clock of all times here. */
  now(): number {
    return performance.now() - this.#startedAt;
  }

  /** A moment of this clock in ms since the epoch: the clock of vendors and workers on this machine. */
  epoch(at: number): number {
    return performance.timeOrigin + this.#startedAt + at;
  }

  /** Whether somebody is speaking now, within the time that a pause between words may take. */
  get speaking(): boolean {
    const last = this.spans.at(-1);
    return last !== undefined && isVoice(last) && this.#streamMs - last.endedAt < PAUSE_MS;
  }

  /** The next thing that was recognised, in order. */
  async nextHeard(signal: AbortSignal): Promise<Heard> {
    return this.#until(() => this.#heard.shift(), signal);
  }

  /** Takes what was recognised, began before `before` and was not asked for. */
  drain(before: number = Infinity): Heard[] {
    const taken = this.#heard.filter((heard) => heard.startedAt < before);
    this.#heard.splice(0, Infinity, ...this.#heard.filter((heard) => heard.startedAt >= before));
    return taken;
  }

  /** Whether something was recognised that nobody has asked for yet. */
  get hasHeard(): boolean {
    return this.#heard.length > 0;
  }

  /** When voice began that is still audible after `at`. */
  async voiceAfter(at: number, signal: AbortSignal): Promise<number> {
    return this.#until(
      () => this.spans.find((span) => isVoice(span) && span.endedAt > at + CLICK_MS)?.startedAt,
      signal,
    );
  }

  /** Whether voice began after one moment and before another. */
  beganBetween(from: number, to: number): boolean {
    return this.spans.some((span) => span.startedAt > from && span.startedAt < to);
  }

  /** Resolves when there has been no voice for so long. */
  async quiet(durationMs: number, signal: AbortSignal): Promise<void> {
    await this.#until(() => {
      const lastAt = this.spans.findLast(isVoice)?.endedAt ?? 0;
      return this.#streamMs - lastAt >= durationMs ? true : undefined;
    }, signal);
  }

  close(): void {
    this.#closed = true;
    for (const release of this.#releases.splice(0)) release();
    this.#recogniser.close();
  }

  #arrive(frame: Int16Array): void {
    this.#silentTicks = 0;
    const silent = loudness(frame) < VOICE_RMS;
    if (this.#inSilence) {
      // Before the frame, not in it: the line may have been silent for as long as nothing came.
      if (this.now() > this.#burstUntil) this.#catchUp();
      if (silent && this.#streamMs - this.now() > AHEAD_MS) return;
    }
    this.#take(frame, !silent);
  }

  #tick(): void {
    const now = this.now();
    const late = now - this.#tickedAt > TICK_MS + LATE_MS;
    this.#tickedAt = now;
    if (late) this.#burstUntil = now + BURST_MS;
    this.#silentTicks = late ? 0 : this.#silentTicks + 1;
    if (this.#silentTicks > SILENT_TICKS) this.#catchUp();
  }

  /**
   * Lets the recogniser tell at once what was said just before the end: nothing comes any more, so it need not
   * wait for silence to pass, which takes long where our own process stands still time and again.
   */
  #conclude(): void {
    const silence = new Int16Array(FRAME_SAMPLES);
    for (let ms = 0; ms < AFTER_THE_END_MS && !this.#closed; ms += FRAME_MS) {
      this.#recogniser.feed(silence);
    }
  }

  /** Fills the stream up to the present with silence. */
  #catchUp(): void {
    if (this.now() - this.#streamMs <= BEHIND_MS) return;
    while (this.#streamMs < this.now() - FRAME_MS) {
      this.#take(new Int16Array(FRAME_SAMPLES), false);
    }
  }

  get #inSilence(): boolean {
    return this.#streamMs - (this.spans.at(-1)?.endedAt ?? -SILENCE_MS) >= SILENCE_MS;
  }

  #take(frame: Int16Array, voiced: boolean): void {
    const at = this.#streamMs;
    this.#streamMs += FRAME_MS;
    if (voiced) {
      const last = this.spans.at(-1);
      if (last && at - last.endedAt < PAUSE_MS) last.endedAt = at + FRAME_MS;
      else this.spans.push({ startedAt: at, endedAt: at + FRAME_MS });
    }
    this.#record?.(frame, at);
    this.#recogniser.feed(frame);
    this.#wake();
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
  }

  async #until<T>(look: () => T | undefined, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const found = look();
    if (found !== undefined) return found;
    let waker: (() => void) | undefined;
    const arrival = new Promise<T>((resolve) => {
      waker = () => {
        // Nothing may be taken for somebody who has gone.
        const value = signal.aborted ? undefined : look();
        if (value !== undefined) {
          resolve(value);
          this.#wakers.delete(waker as () => void);
        }
      };
      this.#wakers.add(waker);
    });
    try {
      return await Promise.race([arrival, aborted(signal)]);
    } finally {
      if (waker) this.#wakers.delete(waker);
    }
  }
}

function isVoice(span: VoiceSpan): boolean {
  return span.endedAt - span.startedAt > CLICK_MS;
}

/** Where the voice in a sound begins and ends, in ms from its start; undefined for silence. */
export function voiceOf(sound: Int16Array): VoiceSpan | undefined {
  let span: VoiceSpan | undefined;
  for (let start = 0; start < sound.length; start += FRAME_SAMPLES) {
    if (loudness(sound.subarray(start, start + FRAME_SAMPLES)) < VOICE_RMS) continue;
    const at = (start / FRAME_SAMPLES) * FRAME_MS;
    span = { startedAt: span?.startedAt ?? at, endedAt: at + FRAME_MS };
  }
  return span;
}
