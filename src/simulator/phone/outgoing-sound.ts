import { FRAME_SAMPLES } from '../leg.ts';

type Playing = { sound: Int16Array; position: number; finish: () => void };

/** What is to be said, in the order in which it was asked for, cut into frames of 20 ms at 16 kHz. */
export class OutgoingSound {
  readonly #queue: Playing[] = [];
  #closed = false;

  /** Resolves when the sound has been taken to its end, the signal has broken it off, or all is over. */
  async play(sound: Int16Array, signal?: AbortSignal): Promise<void> {
    if (this.#closed || sound.length === 0 || signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const breakOff = () => {
        const index = this.#queue.indexOf(playing);
        if (index !== -1) this.#queue.splice(index, 1);
        playing.finish();
      };
      const playing: Playing = {
        sound,
        position: 0,
        finish: () => {
          signal?.removeEventListener('abort', breakOff);
          resolve();
        },
      };
      this.#queue.push(playing);
      signal?.addEventListener('abort', breakOff, { once: true });
    });
  }

  /** Whether there is nothing to be said now. */
  get idle(): boolean {
    return this.#queue.length === 0;
  }

  /** The next frame; silence where nothing is to be said. */
  next(): Int16Array {
    const frame = new Int16Array(FRAME_SAMPLES);
    const playing = this.#queue[0];
    if (!playing) return frame;
    const end = playing.position + FRAME_SAMPLES;
    frame.set(playing.sound.subarray(playing.position, end));
    playing.position = end;
    if (end >= playing.sound.length) {
      this.#queue.shift();
      playing.finish();
    }
    return frame;
  }

  close(): void {
    this.#closed = true;
    for (const playing of this.#queue.splice(0)) playing.finish();
  }
}
