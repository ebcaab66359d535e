import { voice } from '@livekit/agents';
import { within } from './within.ts';

/** What the host may ask of a conversation that goes on. */
export type TalkControl = {
  /** Resolves when the agent is not in the middle of a sentence, or after the time. */
  pause: (withinMs: number) => Promise<void>;
  /** Tells the far end that there is a trouble, and ends the call. */
  endWithWords: () => void;
};

/** Whether the agent is speaking, by what its output says of itself. */
export class SpeechPause {
  readonly #output: voice.AudioOutput | null;
  readonly #waiting = new Set<() => void>();
  #speaking = false;

  constructor(output: voice.AudioOutput | null) {
    this.#output = output;
    output?.on(voice.AudioOutput.EVENT_PLAYBACK_STARTED, this.#started);
    output?.on(voice.AudioOutput.EVENT_PLAYBACK_FINISHED, this.#finished);
  }

  async wait(withinMs: number): Promise<void> {
    if (!this.#speaking) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    await within(promise, withinMs);
    this.#waiting.delete(resolve);
  }

  close(): void {
    this.#output?.off(voice.AudioOutput.EVENT_PLAYBACK_STARTED, this.#started);
    this.#output?.off(voice.AudioOutput.EVENT_PLAYBACK_FINISHED, this.#finished);
    this.#finished();
  }

  readonly #started = (): void => {
    this.#speaking = true;
  };

  readonly #finished = (): void => {
    this.#speaking = false;
    for (const resolve of this.#waiting) resolve();
  };
}
