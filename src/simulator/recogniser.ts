import { Alignment, HEARD_FRAME_MS, type Match } from './alignment.ts';
import {
  choose,
  heardOf,
  isConfident,
  isCredible,
  resumesAt,
  type Heard,
  type Progress,
} from './hearing.ts';
import type { KnownLine, KnownLines } from './known-lines.ts';
import { FRAME_SAMPLES } from './leg.ts';
import { MelAnalysis, WINDOW_SAMPLES } from './mel.ts';
import { SoundGate } from './sound-gate.ts';

export type { Heard, Progress } from './hearing.ts';

export type RecogniserOptions = {
  /** Silence after which a line counts as ended, ms. */
  endSilenceMs?: number;
};

const END_SILENCE_MS = 160;
/** What is no known line may pause longer before it counts as ended. */
const UNKNOWN_END_SILENCE_MS = 300;
/** Sound must last this long within a few frames to count as begun; shorter is a click. */
const ONSET_FRAMES = 3;
/** Lines are sought from their middle only at the beginning of a sound: its start may have been lost. */
const LATE_ENTRY_MS = 300;
/** How much longer than the line's own pause the ears wait for it to go on. */
const RESUME_SLACK_MS = 120;
const LONGEST_PAUSE_MS = 1200;
/** Sound that goes on for this long after a complete line is the next thing. */
const NEXT_SOUND_MS = 300;
/** Less sound than this beside a known line is its edge; more is something else. */
const UNKNOWN_MS = 260;
/** Sound that may follow the words of a line that was broken off: concealment of the packets that never came. */
const BROKEN_OFF_MS = 140;
/** A rival with this share of the evidence is worth waiting for. */
const RIVAL = 0.85;

/**
 * The simulator's ears: tells from the sound alone which known line was spoken, or that it was none.
 *
 *   quiet ──sound──▶ hearing ──silence──▶ pausing ──(line complete, or its pause is over)──▶ report ──▶ quiet
 *                       ▲                    │
 *                       └──────sound─────────┘
 *
 * Lines that follow each other without a pause are reported one by one as they end.
 */
export class Recogniser {
  readonly #lines: KnownLines;
  readonly #endSilenceMs: number;
  readonly #mel = new MelAnalysis();
  readonly #gate = new SoundGate();
  readonly #alignments = new Map<KnownLine, Alignment>();
  readonly #heardListeners = new Set<(heard: Heard) => void>();
  readonly #startListeners = new Set<(at: number) => void>();
  #linesVersion = -1;
  /** The last window of sound, the newest frame at its end. */
  readonly #window = new Int16Array(WINDOW_SAMPLES);
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  #filled = 0;
  #now = 0;
  #sounding: Sounding | undefined;
  #closed = false;

  constructor(lines: KnownLines, options: RecogniserOptions = {}) {
    this.#lines = lines;
    this.#endSilenceMs = options.endSilenceMs ?? END_SILENCE_MS;
  }

  /** Told what was heard, once it has ended. Returns the function that stops telling. */
  onHeard(listener: (heard: Heard) => void): () => void {
    this.#heardListeners.add(listener);
    return () => this.#heardListeners.delete(listener);
  }

  /** Told that something begins to sound (ms of stream time), 60 ms after it did. */
  onSpeechStart(listener: (at: number) => void): () => void {
    this.#startListeners.add(listener);
    return () => this.#startListeners.delete(listener);
  }

  /** Stream time, ms. */
  get now(): number {
    return this.#now;
  }

  /** What is being heard, as far as it is known; undefined while nothing known is being heard. */
  progress(): Progress | undefined {
    const best = this.#sounding && choose(this.#matches());
    if (!best || best.score < 1) return undefined;
    const { text, heardTo } = heardOf(best);
    return { text: text ?? '', heardTo };
  }

  /** Takes sound of any length, 16 kHz. */
  feed(sound: Int16Array): void {
    for (let start = 0; start < sound.length && !this.#closed;) {
      const taken = Math.min(FRAME_SAMPLES - this.#filled, sound.length - start);
      this.#frame.set(sound.subarray(start, start + taken), this.#filled);
      this.#filled += taken;
      start += taken;
      if (this.#filled === FRAME_SAMPLES) {
        this.#filled = 0;
        this.#hear();
      }
    }
  }

  /** Reports at once what has been heard so far. */
  flush(): void {
    if (this.#sounding?.confirmed) this.#report(this.#sounding, true);
  }

  /** Hears and tells nothing any more. */
  close(): void {
    this.#closed = true;
    this.#heardListeners.clear();
    this.#startListeners.clear();
    this.#alignments.clear();
  }

  #hear(): void {
    this.#window.copyWithin(0, FRAME_SAMPLES);
    this.#window.set(this.#frame, WINDOW_SAMPLES - FRAME_SAMPLES);
    const { level, shape } = this.#mel.analyse(this.#window, WINDOW_SAMPLES);
    const isSound = this.#gate.isSound(level);
    const now = this.#now;
    this.#now += HEARD_FRAME_MS;
    if (!this.#sounding && !isSound) return;
    this.#sounding ??= beginSounding(now);
    const sounding = this.#sounding;
    this.#syncLines();
    if (isSound) {
      sounding.soundFrames.push(now);
      sounding.lastSound = this.#now;
    }
    const entry = now - sounding.startedAt < LATE_ENTRY_MS ? 'anywhere' : 'first';
    for (const alignment of this.#alignments.values()) {
      alignment.step(isSound ? shape : undefined, now, entry);
    }
    if (!sounding.confirmed) this.#confirm(sounding);
    if (!sounding.confirmed) return;
    if (isSound) this.#reportWhatIsOver(sounding);
    else if (this.#hasEnded(sounding)) this.#report(sounding, true);
  }

  #confirm(sounding: Sounding): void {
    if (sounding.soundFrames.length >= ONSET_FRAMES) {
      sounding.confirmed = true;
      for (const listener of this.#startListeners) listener(sounding.startedAt);
    } else if (this.#now - sounding.startedAt > 2 * ONSET_FRAMES * HEARD_FRAME_MS) {
      this.#forget();
    }
  }

  /** Whether the silence after a sound has lasted long enough for what was heard. */
  #hasEnded(sounding: Sounding): boolean {
    const silence = this.#now - sounding.lastSound;
    if (silence < this.#endSilenceMs) return false;
    const best = choose(this.#matches());
    if (!best) return silence >= UNKNOWN_END_SILENCE_MS;
    const whole = isCredible(best) && heardOf(best).complete;
    if (!whole && silence < UNKNOWN_END_SILENCE_MS) return false;
    return !this.#mayGoOn(best);
  }

  /** While sound goes on: a complete line that nothing longer continues is reported. */
  #reportWhatIsOver(sounding: Sounding): void {
    if (sounding.soundFrames.length % 2 === 0) return;
    const best = choose(this.#matches());
    if (!best || !isCredible(best) || !heardOf(best).complete) return;
    if (this.#now - best.endedAt < NEXT_SOUND_MS || this.#mayGoOn(best)) return;
    this.#report(sounding, false);
  }

  /** Whether the line pauses here, or a longer one that begins alike is still being heard or pauses here. */
  #mayGoOn(best: Match): boolean {
    for (const alignment of this.#alignments.values()) {
      const match = alignment.best;
      if (!match || match.score < RIVAL * best.score || !overlaps(match, best)) continue;
      if (!isConfident(match)) continue;
      const resumes = resumesAt(match);
      if (resumes === undefined || resumes - match.endedAt > LONGEST_PAUSE_MS) continue;
      const followed = alignment.liveScore(match.endedAt) >= RIVAL * best.score;
      if (followed && this.#now < resumes + RESUME_SLACK_MS) return true;
    }
    return false;
  }

  /** Reports every known line of a stretch in order, and what lies between them as unknown. */
  #report(sounding: Sounding, ended: boolean): void {
    const reports: Heard[] = [];
    let until = Infinity;
    let best = choose(this.#matches());
    while (best && isCredible(best)) {
      const heard = heardOf(best);
      const trailing = soundBetween(sounding, best.endedAt, Math.min(until, sounding.lastSound));
      // Only a line that is broken off by silence or by another line was broken off; else it is no known line.
      if (heard.complete || trailing < BROKEN_OFF_MS) {
        if (trailing >= UNKNOWN_MS && ended) {
          reports.unshift(unknown(best.endedAt, Math.min(until, sounding.lastSound)));
        }
        reports.unshift(heard);
        until = best.startedAt;
      }
      if (until === Infinity) break;
      const [chosen, before] = [best, until + HEARD_FRAME_MS];
      best = choose(this.#matches().filter((match) => match !== chosen && match.endedAt <= before));
    }
    const leading = soundBetween(sounding, sounding.startedAt, Math.min(until, sounding.lastSound));
    if (leading >= UNKNOWN_MS || (reports.length === 0 && leading >= 120)) {
      reports.unshift(unknown(sounding.startedAt, Math.min(until, sounding.lastSound)));
    }
    if (ended) this.#forget();
    else this.#goOnFrom(sounding, reports.at(-1)?.endedAt ?? this.#now);
    for (const heard of reports) for (const listener of this.#heardListeners) listener(heard);
  }

  #goOnFrom(sounding: Sounding, at: number): void {
    sounding.startedAt = at;
    sounding.soundFrames = sounding.soundFrames.filter((frame) => frame >= at);
    for (const alignment of this.#alignments.values()) alignment.reset(at - 100);
  }

  #forget(): void {
    this.#sounding = undefined;
    for (const alignment of this.#alignments.values()) alignment.reset();
  }

  #matches(): Match[] {
    return [...this.#alignments.values()].flatMap(({ best }) => best ?? []);
  }

  #syncLines(): void {
    if (this.#linesVersion === this.#lines.version) return;
    this.#linesVersion = this.#lines.version;
    const current = new Set(this.#lines.lines());
    for (const line of this.#alignments.keys()) {
      if (!current.has(line)) this.#alignments.delete(line);
    }
    for (const line of current) {
      if (!this.#alignments.has(line)) this.#alignments.set(line, new Alignment(line));
    }
  }
}

/** One stretch of sound, its short pauses included. */
type Sounding = {
  startedAt: number;
  /** Times of the frames that sounded. */
  soundFrames: number[];
  lastSound: number;
  confirmed: boolean;
};

function beginSounding(at: number): Sounding {
  return { startedAt: at, soundFrames: [], lastSound: at, confirmed: false };
}

/** Sound within a stretch, ms. */
function soundBetween(sounding: Sounding, from: number, to: number): number {
  return sounding.soundFrames.filter((at) => at >= from && at < to).length * HEARD_FRAME_MS;
}

function overlaps(a: Match, b: Match): boolean {
  return a.startedAt < b.endedAt && b.startedAt < a.endedAt;
}

function unknown(startedAt: number, endedAt: number): Heard {
  return {
    text: null,
    startedAt,
    endedAt,
    confidence: 0,
    complete: false,
    heardFrom: 0,
    heardTo: 0,
  };
}
