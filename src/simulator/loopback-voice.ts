import { AudioFrame, type AudioSource, type LocalParticipant } from '@livekit/rtc-node';
import { FRAME_SAMPLES, SAMPLE_RATE } from './leg.ts';
import { areKeys } from './phone/dtmf.ts';
import { OutgoingSound } from './phone/outgoing-sound.ts';

/** What the native source may hold back; little, so that breaking off is heard at once. */
export const SOURCE_QUEUE_MS = 100;

const FRAME_MS = 20;
/** livekit-sip sends a key for 250 ms with as long a pause after it, and drops keys that come faster. */
const KEY_MS = 500;
const KEY_CODES = '0123456789*#ABCD';

/** The simulated caller's voice in a room: sound on an absolute schedule of 20 ms, and keys. */
export class LoopbackVoice {
  readonly #source: AudioSource;
  readonly #participant: LocalParticipant;
  readonly #outgoing = new OutgoingSound();
  readonly #startedAt = performance.now();
  readonly #closing = new AbortController();
  #frames = 0;
  #muted = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: AudioSource, participant: LocalParticipant) {
    this.#source = source;
    this.#participant = participant;
    this.#tick();
  }

  async play(sound: Int16Array, signal?: AbortSignal): Promise<void> {
    await this.#outgoing.play(sound, signal);
  }

  /** Resolves when the keys have been sent, or the call is over. */
  async press(keys: string): Promise<void> {
    if (!areKeys(keys)) throw new Error('a telephone has the keys 0-9, *, #, A-D only');
    for (const key of keys.toUpperCase()) {
      if (this.#closing.signal.aborted) return;
      await this.#participant.publishDtmf(KEY_CODES.indexOf(key), key);
      await this.#pause(KEY_MS);
    }
  }

  mute(muted: boolean): void {
    this.#muted = muted;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.#outgoing.close();
    await this.#source.close();
  }

  #tick(): void {
    const due = Math.floor((performance.now() - this.#startedAt) / FRAME_MS) + 1;
    // The source would refuse what it cannot hold; after a longer stall, sound goes on from now.
    const most = SOURCE_QUEUE_MS / FRAME_MS;
    if (due - this.#frames > most) this.#frames = due - most;
    for (; this.#frames < due; this.#frames++) this.#capture();
    const next = this.#startedAt + this.#frames * FRAME_MS - performance.now();
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, Math.ceil(next)));
  }

  #capture(): void {
    // What has piled up in a stall would delay the voice for ever: silence is left out until it is gone.
    if (this.#outgoing.idle && this.#source.queuedDuration > 2 * FRAME_MS) return;
    const sound = this.#outgoing.next();
    const frame = this.#muted ? new Int16Array(FRAME_SAMPLES) : sound;
    // It fails only where the room has closed meanwhile, which the leg learns by itself.
    this.#source.captureFrame(new AudioFrame(frame, SAMPLE_RATE, 1, FRAME_SAMPLES)).catch(() => {});
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#closing.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), {
        once: true,
      });
    });
  }
}
