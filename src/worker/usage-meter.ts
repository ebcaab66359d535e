import type { metrics, stt } from '@livekit/agents';
import type { CallUsage } from '../call/call-event.ts';
import type { Personality } from '../personality/personality.ts';
import type { SpeechComponents } from '../personality/providers/create-speech-components.ts';

/**
 * Counts what a call uses of its vendors, as the framework's plugins report it. Listens at the components
 * themselves, because the session does not hear of what is made before it starts (the greeting).
 *
 * Of a request that is broken off before its end the model's tokens are known to the vendor only: they come
 * last. What the voice was asked to speak counts whole, heard or not.
 */
export class UsageMeter {
  readonly #speech: SpeechComponents;
  readonly #ears: CallUsage;
  readonly #model: CallUsage;
  readonly #voice: CallUsage;
  readonly #streams = new Set<stt.SpeechStream>();
  readonly #onUsed: () => void;
  readonly #stops: (() => void)[] = [];

  /**
   * @param options.before what the call had used when its agent was lost, of the same components
   * @param options.onUsed called whenever something was used
   */
  constructor(
    { components }: Pick<Personality, 'components'>,
    speech: SpeechComponents,
    options: { before?: readonly CallUsage[]; onUsed?: () => void } = {},
  ) {
    this.#speech = speech;
    this.#onUsed = options.onUsed ?? (() => undefined);
    this.#ears = { component: 'stt', ...namesOf(components.stt), audioMs: 0 };
    this.#model = {
      component: 'llm',
      ...namesOf(components.llm),
      inputTokens: 0,
      cachedTokens: 0,
      outputTokens: 0,
    };
    this.#voice = { component: 'tts', ...namesOf(components.tts), characters: 0, audioMs: 0 };
    for (const used of options.before ?? []) {
      const mine = [this.#ears, this.#model, this.#voice].find(
        ({ component }) => component === used.component,
      );
      if (mine) addUsage(mine, used);
    }
    speech.stt.on('metrics_collected', this.#heard);
    speech.llm.on('metrics_collected', this.#thought);
    speech.tts.on('metrics_collected', this.#spoke);
    this.#stops.push(
      () => speech.stt.off('metrics_collected', this.#heard),
      () => speech.llm.off('metrics_collected', this.#thought),
      () => speech.tts.off('metrics_collected', this.#spoke),
      this.#followStreams(),
    );
  }

  /**
   * To be called before the conversation is closed: plugins report what they have heard every few seconds,
   * and leave the last of it unsaid when they are closed.
   */
  settle(): void {
    for (const stream of this.#streams) {
      try {
        stream.flush();
      } catch {
        // Closed before; it has said what it will.
      }
    }
  }

  /** What was used so far, of those components that were used at all. */
  get usage(): CallUsage[] {
    return [this.#ears, this.#model, this.#voice].filter(isUsed).map((used) => ({ ...used }));
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#streams.clear();
  }

  readonly #heard = ({ audioDurationMs, inputTokens, outputTokens }: metrics.STTMetrics): void => {
    this.#add(this.#ears, { audioMs: audioDurationMs, inputTokens, outputTokens });
  };

  readonly #thought = (used: metrics.LLMMetrics): void => {
    this.#add(this.#model, {
      inputTokens: used.promptTokens,
      cachedTokens: used.promptCachedTokens,
      outputTokens: used.completionTokens,
    });
  };

  readonly #spoke = (used: metrics.TTSMetrics): void => {
    // Around a voice that cannot stream the framework puts an adapter, which tells the same again.
    if (used.streamed && !this.#speech.tts.capabilities.streaming) return;
    this.#add(this.#voice, {
      characters: used.charactersCount,
      audioMs: used.audioDurationMs,
      inputTokens: used.inputTokens,
      outputTokens: used.outputTokens,
    });
  };

  #add(total: CallUsage, more: Amounts): void {
    addUsage(total, more);
    this.#onUsed();
  }

  /** Keeps hold of the streams that the session opens, to settle them. */
  #followStreams(): () => void {
    const ears = this.#speech.stt;
    const open = ears.stream.bind(ears);
    ears.stream = (options) => {
      const stream = open(options);
      this.#streams.add(stream);
      return stream;
    };
    return () => Reflect.deleteProperty(ears, 'stream');
  }
}

const UNITS = ['inputTokens', 'cachedTokens', 'outputTokens', 'characters', 'audioMs'] as const;
type Amounts = { [Unit in (typeof UNITS)[number]]?: number | undefined };

/** Adds what is more than nothing, so that tokens stand only where a vendor bills by them. */
function addUsage(total: CallUsage, more: Amounts): void {
  for (const unit of UNITS) {
    const amount = more[unit] ?? 0;
    if (amount > 0) total[unit] = (total[unit] ?? 0) + amount;
  }
}

function isUsed(used: CallUsage): boolean {
  const { inputTokens = 0, outputTokens = 0, characters = 0, audioMs = 0 } = used;
  return inputTokens + outputTokens + characters + audioMs > 0;
}

function namesOf(options: { provider: string; model?: string | undefined }): {
  provider: string;
  model?: string;
} {
  return {
    provider: options.provider,
    ...(options.model === undefined ? {} : { model: options.model }),
  };
}
