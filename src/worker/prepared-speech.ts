import { ReadableStream } from 'node:stream/web';
import type { tts } from '@livekit/agents';
import type { AudioFrame } from '@livekit/rtc-node';
import { asError } from '../platform/errors.ts';

/**
 * A sentence that is synthesised before it is needed, so that it sounds at once when it is: the greeting,
 * made while the phone rings.
 */
export class PreparedSpeech {
  readonly text: string;
  readonly #frames: AudioFrame[] = [];
  readonly #first = Promise.withResolvers<void>();
  readonly #source: tts.ChunkedStream;
  #wake: (() => void) | undefined;
  #done = false;
  #failure: Error | undefined;

  constructor(text: string, voice: tts.TTS) {
    this.text = text;
    this.#source = voice.synthesize(text);
    this.#first.promise.catch(() => undefined);
    void this.#collect();
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
    this.#source.close();
  }

  async #collect(): Promise<void> {
    try {
      for await (const { frame } of this.#source) {
        if (this.#done) return;
        this.#frames.push(frame);
        this.#first.resolve();
        this.#wake?.();
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
