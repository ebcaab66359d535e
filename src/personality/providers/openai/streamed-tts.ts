import {
  APIConnectionError,
  APIStatusError,
  APITimeoutError,
  shortuuid,
  tts,
  type APIConnectOptions,
} from '@livekit/agents';
import { APIConnectionTimeoutError, APIError, type OpenAI } from 'openai';
import { asError } from '../../../platform/errors.ts';
import { PcmFrames } from '../pcm-frames.ts';

/** OpenAI's raw sound: mono, signed 16 bit, little-endian. */
const SAMPLE_RATE = 24_000;

export type StreamedTtsOptions = {
  client: OpenAI;
  model?: string | undefined;
  voice?: string | undefined;
  speed?: number | undefined;
  instructions?: string | undefined;
};

/**
 * OpenAI's text to speech, played while it is being made. LiveKit's plugin waits for the whole sentence, which takes
 * the vendor about as long as a second or two, and asks only once, so that its retries repeat the first failure.
 * @see https://platform.openai.com/docs/api-reference/audio/createSpeech
 */
export class StreamedTts extends tts.TTS {
  readonly label = 'trunkline.OpenAiTts';
  readonly #client: OpenAI;
  readonly #options: Omit<StreamedTtsOptions, 'client'>;

  constructor({ client, ...options }: StreamedTtsOptions) {
    super(SAMPLE_RATE, 1, { streaming: false });
    this.#client = client;
    this.#options = options;
  }

  override get model(): string {
    return this.#options.model ?? 'tts-1';
  }

  override get provider(): string {
    return new URL(this.#client.baseURL).host;
  }

  synthesize(
    text: string,
    connection?: APIConnectOptions,
    signal?: AbortSignal,
  ): tts.ChunkedStream {
    const { voice = 'alloy', speed = 1, instructions } = this.#options;
    const ask = async (options: { signal: AbortSignal; timeout: number | undefined }) =>
      this.#client.audio.speech.create(
        {
          model: this.model,
          voice,
          speed,
          input: text,
          response_format: 'pcm',
          ...(instructions === undefined ? {} : { instructions }),
        },
        { signal: options.signal, ...(options.timeout ? { timeout: options.timeout } : {}) },
      );
    return new StreamedSentence(this, { text, ask, connection, signal });
  }

  stream(): tts.SynthesizeStream {
    throw new Error('OpenAI takes whole texts only; the framework gives it sentence by sentence.');
  }
}

type Ask = (options: {
  signal: AbortSignal;
  timeout: number | undefined;
}) => Promise<{ body: ReadableStream<Uint8Array> | null }>;

class StreamedSentence extends tts.ChunkedStream {
  readonly label = 'trunkline.OpenAiSentence';
  readonly #ask: Ask;
  readonly #timeoutMs: number | undefined;

  constructor(
    voice: StreamedTts,
    asked: {
      text: string;
      ask: Ask;
      connection: APIConnectOptions | undefined;
      signal: AbortSignal | undefined;
    },
  ) {
    super(asked.text, voice, asked.connection, asked.signal);
    this.#ask = asked.ask;
    this.#timeoutMs = asked.connection?.timeoutMs;
  }

  protected async run(): Promise<void> {
    const signal = this.abortSignal;
    const requestId = shortuuid();
    const frames = new PcmFrames(SAMPLE_RATE);
    // One frame is held back, because the last one must say that it is the last.
    let held: tts.SynthesizedAudio | undefined;
    try {
      const { body } = await this.#ask({ signal, timeout: this.#timeoutMs });
      for await (const bytes of body ?? []) {
        for (const frame of frames.take(bytes)) {
          if (held) this.queue.put(held);
          held = { requestId, segmentId: requestId, frame, final: false };
        }
        if (signal.aborted) return;
      }
      const rest = frames.rest();
      if (rest) {
        if (held) this.queue.put(held);
        held = { requestId, segmentId: requestId, frame: rest, final: true };
      }
      if (held) this.queue.put({ ...held, final: true });
    } catch (thrown) {
      if (signal.aborted) return;
      // What has begun to sound is not begun anew.
      throw failureOf(asError(thrown), held === undefined);
    } finally {
      if (!this.queue.closed) this.queue.close();
    }
  }
}

/** In the framework's terms, which decide whether the request is repeated. */
function failureOf(error: Error, retryable: boolean): Error {
  if (error instanceof APIConnectionTimeoutError) {
    return new APITimeoutError({ message: 'the voice did not answer', options: { retryable } });
  }
  if (error instanceof APIError && error.status !== undefined) {
    const options = { statusCode: error.status, retryable };
    return new APIStatusError({ message: 'the voice refused', options });
  }
  const failure = new APIConnectionError({
    message: 'the voice broke off',
    options: { retryable },
  });
  failure.cause = error;
  return failure;
}
