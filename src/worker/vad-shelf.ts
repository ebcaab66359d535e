import type { VAD } from '@livekit/agents';
import type { Personality } from '../personality/personality.ts';
import { createVad } from '../personality/providers/create-speech-components.ts';

/**
 * Voice activity detectors, one for each set of options: loading one takes some 100 ms, and each call takes
 * only a stream of it.
 */
export class VadShelf {
  readonly #loaded = new Map<string, Promise<VAD>>();

  async of(personality: Personality): Promise<VAD> {
    const options = JSON.stringify(personality.components.vad);
    const vad = this.#loaded.get(options) ?? createVad(personality);
    this.#loaded.set(options, vad);
    try {
      return await vad;
    } catch (thrown) {
      this.#loaded.delete(options);
      throw thrown;
    }
  }
}
