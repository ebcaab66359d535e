import { FRAME_SAMPLES, UnansweredError, type Leg, type LegEnd } from '../leg.ts';
import { pause } from './waiting.ts';

const FRAME_MS = 20;

/**
 * A telephone line without a network: two legs in one process, joined by a wire. What one plays the other
 * hears, in real time. It serves the tests of everything that holds a leg.
 */
export class WireLeg implements Leg {
  readonly id: string;
  readonly answered: Promise<void>;
  readonly ended: Promise<LegEnd>;
  readonly #soundListeners = new Set<(frame: Int16Array) => void>();
  readonly #keyListeners = new Set<(key: string) => void>();
  readonly #muted = new Set<'send' | 'receive'>();
  readonly #playing = new AbortController();
  /** The far end; of a leg that nobody has joined, itself. */
  #other: WireLeg = this;
  #answer: () => void = () => undefined;
  #refuse: (error: Error) => void = () => undefined;
  #end: (end: LegEnd) => void = () => undefined;

  constructor(id: string) {
    this.id = id;
    this.answered = new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#refuse = reject;
    });
    this.answered.catch(() => undefined);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  static pair(): { caller: WireLeg; agent: WireLeg } {
    const caller = new WireLeg('caller');
    const agent = new WireLeg('agent');
    caller.#other = agent;
    agent.#other = caller;
    return { caller, agent };
  }

  /** Answers on both sides. */
  pickUp(): void {
    for (const leg of [this, this.#other]) leg.#answer();
  }

  /** Refuses the call with a SIP status. */
  refuse(status: number): void {
    for (const [leg, by] of [
      [this.#other, 'remote'],
      [this, 'local'],
    ] as const) {
      const end = { by, status, reason: 'refused' };
      leg.#refuse(new UnansweredError(end));
      leg.#end(end);
    }
  }

  onSound(listener: (frame: Int16Array) => void): () => void {
    this.#soundListeners.add(listener);
    return () => this.#soundListeners.delete(listener);
  }

  onKey(listener: (key: string) => void): () => void {
    this.#keyListeners.add(listener);
    return () => this.#keyListeners.delete(listener);
  }

  async play(sound: Int16Array, signal?: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([this.#playing.signal, ...(signal ? [signal] : [])]);
    const startedAt = performance.now();
    for (let frame = 0; frame * FRAME_SAMPLES < sound.length && !stop.aborted; frame += 1) {
      const waitMs = startedAt + frame * FRAME_MS - performance.now();
      if (waitMs > 0) await pause(waitMs, stop).catch(() => undefined);
      if (stop.aborted || this.#muted.has('send')) continue;
      const samples = new Int16Array(FRAME_SAMPLES);
      samples.set(sound.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES));
      this.#other.#hear(samples);
    }
  }

  press(keys: string): Promise<void> {
    for (const key of keys) for (const listener of this.#other.#keyListeners) listener(key);
    return Promise.resolve();
  }

  mute(direction: 'send' | 'receive', muted: boolean): void {
    if (muted) this.#muted.add(direction);
    else this.#muted.delete(direction);
  }

  hangUp(): Promise<void> {
    for (const [leg, by] of [
      [this, 'local'],
      [this.#other, 'remote'],
    ] as const) {
      leg.#playing.abort(new Error('the line has ended'));
      const end = { by, reason: 'hung up' };
      leg.#refuse(new UnansweredError(end));
      leg.#end(end);
    }
    return Promise.resolve();
  }

  #hear(frame: Int16Array): void {
    if (this.#muted.has('receive')) return;
    for (const listener of this.#soundListeners) listener(frame);
  }
}
