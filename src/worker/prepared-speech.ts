import { ReadableStream } from 'node:stream/web';
import type { tts } from '@livekit/agents';
import type { AudioFrame } from '@livekit/rtc-node';
import { asError } from '../platform/errors.ts';
import type { SpokenShelf } from './speaking/spoken-shelf.ts';

/** Where a sentence is kept, and by which name: voice and text. */
export type SpeechMemory = { shelf: SpokenShelf; key: string };

/**
 * A sentence that is synthesised before it is needed, so that it sounds at once when it is: the greeting,
 * made while the phone rings.
 */
export class PreparedSpeech {
  readonly text: string;
  readonly #frames: AudioFrame[] = [];
  readonly #first = Promise.withResolvers<void>();
  readonly #source: tts.ChunkedStream | undefined;
  readonly #memory: SpeechMemory | undefined;
  #wake: (() => void) | undefined;
  #done = false;
  #failure: Error | undefined;

  /** @param memory where the sound is kept for the next who says the same */
  constructor(text: string, voice: tts.TTS, memory?: SpeechMemory) {
    this.text = text;
    this.#memory = memory;
    this.#first.promise.catch(() => undefined);
    const known = memory?.shelf.take(memory.key);
    if (known) {
      this.#frames.push(...known);
      this.#first.resolve();
      this.#done = true;
      return;
    }
    this.#source = voice.synthesize(text);
    void this.#collect(this.#source);
  }

  /**
   * Resolves when there is sound to play.
   * @throws Error where the voice failed or gave no sound at all.
   */
  get ready(): Promise<void> {
    return this.#first.promise;
  }

  /** The sound: what is there already, and then what is still to come. */
  stream(): ReadableStream<AudioFrame> {
    let next = 0;
    return new ReadableStream<AudioFrame>({
      pull: async (controller) => {
        while (next >= this.#frames.length && !this.#done) {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
        const frame = this.#frames[next];
        next += 1;
        if (frame) controller.enqueue(frame);
        else if (this.#failure) controller.error(this.#failure);
        else controller.close();
      },
    });
  }

  close(): void {
    this.#finish();
    this.#source?.close();
  }

  async #collect(source: tts.ChunkedStream): Promise<void> {
    try {
      for await (const { frame, final } of source) {
        if (this.#done) return;
        this.#frames.push(frame);
        this.#first.resolve();
        this.#wake?.();
        // A voice that failed in the middle ends without having said so.
        if (final) this.#memory?.shelf.keep(this.#memory.key, this.#frames);
      }
    } catch (thrown) {
      this.#failure = asError(thrown);
    }
    this.#finish();
  }

  #finish(): void {
    this.#done = true;
    this.#first.reject(this.#failure ?? new Error('the voice gave no sound'));
    this.#wake?.();
  }
}
