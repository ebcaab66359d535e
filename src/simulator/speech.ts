import { runEspeak } from './espeak.ts';
import { SAMPLE_RATE } from './leg.ts';
import { resample } from './resample.ts';
import { CALLER_VOICE, espeakVoice } from './voices.ts';

export type SpeechOptions = {
  /** Program to run, for tests. */
  program?: string;
  /** Most sound that is kept, in ms; the longest unused goes first. */
  cacheMs?: number;
};

export type SayOptions = {
  /** `sim-caller` (the default), `sim-agent`, or a vendor's voice name. */
  voice?: string | undefined;
  /** BCP 47 tag. Default: what the voice's name says, else English. */
  language?: string | undefined;
  /** Times the voice's own speed. Default 1. */
  speed?: number | undefined;
};

/** Ten minutes of sound are 19 MB. */
const CACHE_MS = 600_000;

/** The simulator's mouth: text to sound by espeak-ng, 16 kHz mono. The same words are spoken once. */
export class Speech {
  readonly #program: string;
  readonly #cacheSamples: number;
  readonly #spoken = new Map<string, Int16Array>();
  readonly #speaking = new Map<string, Promise<Int16Array>>();
  #cachedSamples = 0;

  constructor(options: SpeechOptions = {}) {
    this.#program = options.program ?? 'espeak-ng';
    this.#cacheSamples = ((options.cacheMs ?? CACHE_MS) / 1000) * SAMPLE_RATE;
  }

  /**
   * Sound of a text, shared with others who say the same: do not write into it.
   *
   * @throws {OperatorError} when espeak-ng is not installed.
   */
  say(text: string, options: SayOptions = {}): Promise<Int16Array> {
    const natural = espeakVoice(options.voice ?? CALLER_VOICE, options.language);
    const wordsPerMinute = Math.round(natural.wordsPerMinute * (options.speed ?? 1));
    const voice = { ...natural, wordsPerMinute };
    const words = text.normalize('NFC').replaceAll(/\s+/g, ' ').trim();
    if (words === '') return Promise.resolve(new Int16Array(0));
    const key = JSON.stringify([voice, words]);
    const known = this.#spoken.get(key);
    if (known) {
      this.#spoken.delete(key);
      this.#spoken.set(key, known);
      return Promise.resolve(known);
    }
    const underWay = this.#speaking.get(key);
    if (underWay) return underWay;
    const speaking = runEspeak(this.#program, words, voice)
      .then(({ samples, sampleRate }) => {
        const sound = resample(samples, sampleRate, SAMPLE_RATE);
        this.#keep(key, sound);
        return sound;
      })
      .finally(() => this.#speaking.delete(key));
    this.#speaking.set(key, speaking);
    return speaking;
  }

  #keep(key: string, sound: Int16Array): void {
    this.#spoken.set(key, sound);
    this.#cachedSamples += sound.length;
    for (const [oldest, old] of this.#spoken) {
      if (this.#cachedSamples <= this.#cacheSamples) break;
      this.#spoken.delete(oldest);
      this.#cachedSamples -= old.length;
    }
  }
}
