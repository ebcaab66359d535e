import {
  APIConnectionError,
  APITimeoutError,
  DEFAULT_API_CONNECT_OPTIONS,
  mergeFrames,
  normalizeLanguage,
  stt,
  type APIConnectOptions,
  type AudioBuffer,
} from '@livekit/agents';
import {
  AudioConfig,
  AudioInputStream,
  AudioStreamFormat,
  CancellationReason,
  Connection,
  PhraseListGrammar,
  ProfanityOption,
  PropertyId,
  ResultReason,
  SpeechRecognizer,
  type PushAudioInputStream,
  type SpeechRecognitionResult,
} from 'microsoft-cognitiveservices-speech-sdk';
import { azureError } from './azure-error.ts';
import { speechConfig, type AzureResource } from './speech-config.ts';

const SAMPLE_RATE = 16_000;

/** The SDK counts time in units of 100 ns. */
const TICKS_PER_SECOND = 10_000_000;

const profanityOptions = {
  masked: ProfanityOption.Masked,
  removed: ProfanityOption.Removed,
  raw: ProfanityOption.Raw,
} as const;

export type AzureSttOptions = {
  resource: AzureResource;
  language: string;
  /** Names and terms to expect. */
  phrases: readonly string[];
  /** Silence after which Azure gives a final result. */
  segmentationSilenceMs: number;
  profanity?: keyof typeof profanityOptions | undefined;
  /** Endpoint id of a custom model. */
  modelId?: string | undefined;
};

/** Azure's recognition through Microsoft's SDK, as a speech to text of the framework. */
export class AzureStt extends stt.STT {
  override label = 'azure.STT';
  readonly #options: AzureSttOptions;

  constructor(options: AzureSttOptions) {
    super({ streaming: true, interimResults: true, alignedTranscript: false });
    this.#options = options;
  }

  override get model(): string {
    return this.#options.modelId ?? this.#options.language;
  }

  override get provider(): string {
    return 'Azure';
  }

  override stream(options?: { connOptions?: APIConnectOptions }): stt.SpeechStream {
    return new AzureSpeechStream(this, this.#options, options?.connOptions);
  }

  /** One recording: streamed as fast as it can be sent, its results put together. */
  protected override async _recognize(
    buffer: AudioBuffer,
    abortSignal?: AbortSignal,
  ): Promise<stt.SpeechEvent> {
    const stream = this.stream();
    const close = () => stream.close();
    abortSignal?.addEventListener('abort', close, { once: true });
    stream.pushFrame(mergeFrames(buffer));
    stream.endInput();
    const texts: string[] = [];
    for await (const event of stream) {
      if (event.type === stt.SpeechEventType.FINAL_TRANSCRIPT) {
        texts.push(event.alternatives?.[0].text ?? '');
      }
    }
    abortSignal?.removeEventListener('abort', close);
    const language = normalizeLanguage(this.#options.language);
    return {
      type: stt.SpeechEventType.FINAL_TRANSCRIPT,
      alternatives: [{ language, text: texts.join(' '), startTime: 0, endTime: 0, confidence: 1 }],
    };
  }
}

class AzureSpeechStream extends stt.SpeechStream {
  override label = 'azure.SpeechStream';
  readonly #options: AzureSttOptions;
  readonly #timeoutMs: number;
  /** The frame being waited for; it outlives an attempt, so that none is lost between two. */
  #nextFrame: ReturnType<AzureSpeechStream['input']['next']> | undefined;
  #speaking = false;
  #unreportedSeconds = 0;

  constructor(
    azure: AzureStt,
    options: AzureSttOptions,
    connOptions: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
  ) {
    super(azure, SAMPLE_RATE, connOptions);
    this.#options = options;
    this.#timeoutMs = connOptions.timeoutMs;
  }

  protected override async run(): Promise<void> {
    const sound = AudioInputStream.createPushStream(
      AudioStreamFormat.getWaveFormatPCM(SAMPLE_RATE, 16, 1),
    );
    const recognizer = this.#createRecognizer(sound);
    const attempt = new AbortController();
    const ended = this.#listen(recognizer, attempt.signal);
    try {
      recognizer.startContinuousRecognitionAsync(undefined, () => recognizer.close());
      await Promise.race([ended, this.#pump(sound, attempt.signal).then(() => ended)]);
      this.#reportUsage();
    } finally {
      attempt.abort();
      sound.close();
      recognizer.close();
    }
  }

  #createRecognizer(sound: PushAudioInputStream): SpeechRecognizer {
    const { resource, language, phrases, segmentationSilenceMs, profanity, modelId } =
      this.#options;
    const config = speechConfig(resource);
    config.speechRecognitionLanguage = language;
    config.setProperty(
      PropertyId.Speech_SegmentationSilenceTimeoutMs,
      String(segmentationSilenceMs),
    );
    if (profanity !== undefined) config.setProfanity(profanityOptions[profanity]);
    if (modelId !== undefined) config.endpointId = modelId;
    const recognizer = new SpeechRecognizer(config, AudioConfig.fromStreamInput(sound));
    if (phrases.length > 0) PhraseListGrammar.fromRecognizer(recognizer).addPhrases([...phrases]);
    return recognizer;
  }

  /** Resolves at the end of the recognition, or when the stream is closed. @throws {APIError} */
  #listen(recognizer: SpeechRecognizer, attempt: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // The SDK itself waits for a server that does not answer the handshake without end.
    const timer = setTimeout(
      () => reject(new APITimeoutError({ message: 'Azure speech did not answer in time' })),
      this.#timeoutMs,
    );
    const connection = Connection.fromRecognizer(recognizer);
    connection.connected = () => clearTimeout(timer);
    // Without sound to send, the SDK would not notice.
    connection.disconnected = () =>
      reject(new APIConnectionError({ message: 'Azure speech cut the connection' }));
    recognizer.recognizing = (_, { result }) => this.#heard(result, false);
    recognizer.recognized = (_, { result }) => {
      if (result.reason === ResultReason.RecognizedSpeech && result.text !== '') {
        this.#heard(result, true);
      }
    };
    recognizer.canceled = (_, { reason, errorCode, errorDetails }) => {
      if (reason === CancellationReason.EndOfStream) resolve();
      else reject(azureError(errorCode, errorDetails));
    };
    recognizer.sessionStopped = () => {
      if (this.input.closed) resolve();
      else reject(new APIConnectionError({ message: 'Azure speech ended the session' }));
    };
    this.abortSignal.addEventListener('abort', () => resolve(), { once: true, signal: attempt });
    return promise.finally(() => clearTimeout(timer));
  }

  /** Passes sound on until the input ends; then Azure gives its last results. */
  async #pump(sound: PushAudioInputStream, attempt: AbortSignal): Promise<void> {
    while (!attempt.aborted) {
      this.#nextFrame ??= this.input.next();
      const { done, value } = await this.#nextFrame;
      if (attempt.aborted) return;
      this.#nextFrame = undefined;
      if (done) break;
      if (typeof value === 'symbol') {
        // A flush: whoever asks for it is about to close the stream.
        this.#reportUsage();
        continue;
      }
      const { buffer, byteOffset, byteLength } = value.data;
      sound.write(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
      this.#unreportedSeconds += value.samplesPerChannel / value.sampleRate;
    }
    sound.close();
  }

  #heard(result: SpeechRecognitionResult, final: boolean): void {
    if (this.queue.closed) return;
    const startTime = this.startTimeOffset + result.offset / TICKS_PER_SECOND;
    const types = stt.SpeechEventType;
    if (!this.#speaking) this.queue.put({ type: types.START_OF_SPEECH });
    this.#speaking = true;
    this.queue.put({
      type: final ? types.FINAL_TRANSCRIPT : types.INTERIM_TRANSCRIPT,
      requestId: result.resultId,
      alternatives: [
        {
          text: result.text,
          language: normalizeLanguage(this.#options.language),
          startTime,
          endTime: startTime + result.duration / TICKS_PER_SECOND,
          // Azure gives none in the short format.
          confidence: 1,
        },
      ],
    });
    if (!final) return;
    this.queue.put({ type: types.END_OF_SPEECH });
    this.#speaking = false;
    this.#reportUsage();
  }

  #reportUsage(): void {
    if (this.#unreportedSeconds === 0 || this.queue.closed) return;
    this.queue.put({
      type: stt.SpeechEventType.RECOGNITION_USAGE,
      requestId: '',
      recognitionUsage: { audioDuration: this.#unreportedSeconds },
    });
    this.#unreportedSeconds = 0;
  }
}
