import { voice, type llm, type VAD } from '@livekit/agents';
import type { TurnSettings } from '../../personality/personality.ts';
import { completenessOf } from './finished-words.ts';

/** What the framework asks whether a turn is over: its text-based detectors are such objects. */
type TurnDetector = Extract<
  NonNullable<NonNullable<voice.AgentSessionOptions['turnHandling']>['turnDetection']>,
  { predictEndOfTurn: unknown }
>;

export type WordsDetectorOptions = {
  /** From the end of speech to the end of a turn of which nothing tells whether it is over. */
  openDelayMs: number;
  /** Silence after which the voice detector says that speech has ended. */
  silenceMs: number;
  now?: () => number;
};

const LIKELY = 1;
const UNLIKELY = 0;

/**
 * Ends a turn by the words that were heard and the silence after them: soon after a finished sentence, late where
 * more must come, and in between where nothing tells. The framework knows two delays, the shortest for a likely end
 * and the longest for an unlikely one; the one in between is waited for here.
 *
 * ```
 * end of speech ──┬─ finished ───▶ min_delay
 *                 ├─ open ───────▶ open_delay      speech that begins again takes all of it back
 *                 └─ unfinished ─▶ max_delay
 * ```
 */
export class WordsDetector implements TurnDetector {
  readonly model = 'words';
  readonly provider = 'trunkline';
  readonly #options: WordsDetectorOptions;
  readonly #now: () => number;
  readonly #waits = new Map<NodeJS.Timeout, () => void>();
  #silentSince = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: WordsDetectorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Where words end the turns of a personality. */
  static of(turn: TurnSettings, vad: VAD): WordsDetector | undefined {
    if (turn.detection !== 'words') return undefined;
    return new WordsDetector({
      openDelayMs: turn.openDelayMs,
      silenceMs: vad.minSilenceDuration ?? 0,
    });
  }

  /** Learns from the session when the caller speaks. Returns what ends that. */
  follow(session: voice.AgentSession): () => void {
    const event = voice.AgentSessionEventTypes.UserStateChanged;
    const onState = ({ newState }: voice.UserStateChangedEvent) => {
      if (newState === 'speaking') this.speechBegan();
      else this.speechEnded();
    };
    session.on(event, onState);
    return () => {
      session.off(event, onState);
      this.close();
    };
  }

  /** The voice detector says that the caller's speech has ended. */
  speechEnded(): void {
    this.#silentSince = this.#now() - this.#options.silenceMs;
  }

  /** The caller speaks again: who waits for the end of the turn is let go, and asks anew. */
  speechBegan(): void {
    for (const [timer, resolve] of this.#waits) {
      clearTimeout(timer);
      resolve();
    }
    this.#waits.clear();
  }

  async unlikelyThreshold(): Promise<number> {
    return Promise.resolve(0.5);
  }

  async supportsLanguage(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async predictEndOfTurn(context: llm.ChatContext): Promise<number> {
    const message = context.items.findLast((item) => item.type === 'message');
    const words = message?.role === 'user' ? (message.textContent ?? '') : '';
    switch (completenessOf(words)) {
      case 'finished':
        return LIKELY;
      case 'unfinished':
        return UNLIKELY;
      case 'open':
        await this.#wait(this.#silentSince + this.#options.openDelayMs - this.#now());
        return LIKELY;
    }
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.#closed = true;
    this.speechBegan();
  }

  async #wait(ms: number): Promise<void> {
    if (ms <= 0 || this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#waits.delete(timer);
        resolve();
      }, ms);
      this.#waits.set(timer, resolve);
    });
  }
}
