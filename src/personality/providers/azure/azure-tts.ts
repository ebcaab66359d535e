import {
  APIConnectionError,
  type APIError,
  APITimeoutError,
  DEFAULT_API_CONNECT_OPTIONS,
  shortuuid,
  tokenize,
  tts,
  type APIConnectOptions,
} from '@livekit/agents';
import type { AudioFrame } from '@livekit/rtc-node';
import {
  CancellationDetails,
  ResultReason,
  SpeechSynthesisOutputFormat,
  SpeechSynthesizer,
} from 'microsoft-cognitiveservices-speech-sdk';
import { azureError } from './azure-error.ts';
import { PcmFrames } from '../pcm-frames.ts';
import { speechConfig, type AzureResource } from './speech-config.ts';
import { ssml, type VoiceOptions } from './ssml.ts';

/** Twice what a telephone carries. */
const SAMPLE_RATE = 16_000;

export type AzureTtsOptions = VoiceOptions & { resource: AzureResource };

/** Azure's voices through Microsoft's SDK, as a text to speech of the framework. Sound is passed on as it comes. */
export class AzureTts extends tts.TTS {
  override label = 'azure.TTS';
  readonly #options: AzureTtsOptions;
  /** Each keeps its connection, which saves the next sentence a handshake. */
  readonly #idle: SpeechSynthesizer[] = [];
  #closed = false;

  constructor(options: AzureTtsOptions) {
    super(SAMPLE_RATE, 1, { streaming: false });
    this.#options = options;
  }

  override get model(): string {
    return this.#options.voice ?? this.#options.language;
  }

  override get provider(): string {
    return 'Azure';
  }

  override synthesize(
    text: string,
    connOptions?: APIConnectOptions,
    abortSignal?: AbortSignal,
  ): tts.ChunkedStream {
    return new AzureChunkedStream(this, text, connOptions, abortSignal);
  }

  override stream(): tts.SynthesizeStream {
    return new tts.StreamAdapter(this, new tokenize.basic.SentenceTokenizer()).stream();
  }

  override async close(): Promise<void> {
    this.#closed = true;
    for (const synthesizer of this.#idle.splice(0)) synthesizer.close();
  }

  /** Says a text; sound and end come to the synthesizer's handlers and the two callbacks. */
  speak(
    synthesizer: SpeechSynthesizer,
    text: string,
    ...callbacks: [done: (reason: ResultReason) => void, failed: (error: string) => void]
  ): void {
    const [done, failed] = callbacks;
    const markup = ssml(text, this.#options);
    if (markup === undefined) {
      synthesizer.speakTextAsync(text, (result) => done(result.reason), failed);
    } else {
      synthesizer.speakSsmlAsync(markup, (result) => done(result.reason), failed);
    }
  }

  takeSynthesizer(): SpeechSynthesizer {
    const idle = this.#idle.pop();
    if (idle) return idle;
    const config = speechConfig(this.#options.resource);
    config.speechSynthesisLanguage = this.#options.language;
    config.speechSynthesisOutputFormat = SpeechSynthesisOutputFormat.Raw16Khz16BitMonoPcm;
    // No audio configuration: the SDK would else look for a loudspeaker.
    return new SpeechSynthesizer(config, null);
  }

  /** Takes one back that has finished its sentence; one that has not is closed instead. */
  giveBack(synthesizer: SpeechSynthesizer, finished: boolean): void {
    if (finished && !this.#closed) this.#idle.push(synthesizer);
    else synthesizer.close();
  }
}

class AzureChunkedStream extends tts.ChunkedStream {
  override label = 'azure.ChunkedStream';
  readonly #tts: AzureTts;
  readonly #timeoutMs: number;

  constructor(
    azure: AzureTts,
    text: string,
    connOptions: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    abortSignal?: AbortSignal,
  ) {
    super(text, azure, connOptions, abortSignal);
    this.#tts = azure;
    this.#timeoutMs = connOptions.timeoutMs;
  }

  protected override async run(): Promise<void> {
    if (this.abortSignal.aborted) return;
    const synthesizer = this.#tts.takeSynthesizer();
    let finished = false;
    try {
      finished = await this.#receive(synthesizer);
    } finally {
      this.#tts.giveBack(synthesizer, finished);
    }
  }

  /** @returns false where it was broken off. @throws {APIError} what the framework may try again. */
  #receive(synthesizer: SpeechSynthesizer): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const requestId = shortuuid();
    const frames = new PcmFrames(SAMPLE_RATE);
    // One frame is held back, because the last must say that it is.
    let held: AudioFrame | undefined;
    let heard = false;
    const put = (made: readonly AudioFrame[], final: boolean) => {
      const { queue } = this;
      if (queue.closed) return;
      for (const frame of made) {
        if (held) queue.put({ requestId, segmentId: requestId, frame: held, final: false });
        held = frame;
      }
      if (final && held) queue.put({ requestId, segmentId: requestId, frame: held, final });
    };
    const timer = setTimeout(
      () => reject(new APITimeoutError({ message: 'Azure speech sent no sound in time' })),
      this.#timeoutMs,
    );
    const aborted = () => resolve(false);
    this.abortSignal.addEventListener('abort', aborted, { once: true });

    synthesizer.synthesizing = (_, { result }) => {
      if (result.audioData.byteLength === 0) return;
      heard = true;
      clearTimeout(timer);
      put(frames.take(new Uint8Array(result.audioData)), false);
    };
    synthesizer.SynthesisCanceled = (_, { result }) => {
      const { ErrorCode, errorDetails } = CancellationDetails.fromResult(result);
      // What was said already would be said again.
      reject(azureError(ErrorCode, errorDetails, !heard));
    };
    this.#tts.speak(
      synthesizer,
      this.inputText,
      (reason) => {
        if (reason !== ResultReason.SynthesizingAudioCompleted) return;
        const rest = frames.rest();
        put(rest ? [rest] : [], true);
        resolve(true);
      },
      () => reject(connectionLost(!heard)),
    );
    return promise.finally(() => {
      clearTimeout(timer);
      this.abortSignal.removeEventListener('abort', aborted);
    });
  }
}

function connectionLost(retryable: boolean): APIError {
  return new APIConnectionError({
    message: 'Azure speech cannot be reached',
    options: { retryable },
  });
}
