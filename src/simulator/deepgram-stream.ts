import { randomUUID } from 'node:crypto';
import type { RawData, WebSocket } from 'ws';
import {
  alternativeOf,
  MODEL_INFO,
  MODEL_UUID,
  type DeepgramAlternative,
  type DeepgramMessage,
} from './deepgram-messages.ts';
import type { DeepgramOptions } from './deepgram-options.ts';
import type { Faults } from './faults.ts';
import type { Heard } from './hearing.ts';
import { SAMPLE_RATE } from './leg.ts';
import { Recogniser } from './recogniser.ts';
import { Resampler } from './resample.ts';
import type { Served } from './served.ts';
import { wordsHeard, wordsUpTo, type TimedWord } from './transcription.ts';
import type { VendorDeps } from './vendor-deps.ts';
import type { VendorDiary } from './vendor-diary.ts';
import { loudness, VOICE_RMS } from './voice-level.ts';
import { mixDown, readSamples } from './wav.ts';

/** Deepgram closes a stream that got neither sound nor KeepAlive for so long (NET-0001). */
const IDLE_MS = 12_000;
/** Interim results come so far apart in stream time. */
const INTERIM_MS = 200;
/** Where the transcript has its own time to leave, the ears must be done before that. */
const HASTY_END_SILENCE_MS = 80;

/** One live transcription: sound in, messages out, the words only from the simulator's ears. */
export class DeepgramStream {
  readonly #socket: WebSocket;
  readonly #options: DeepgramOptions;
  readonly #faults: Faults;
  readonly #served: Served;
  readonly #diary: VendorDiary;
  /** From the last sound to the transcript; undefined: when the ears are sure. */
  readonly #transcriptMs: number | undefined;
  readonly #recogniser: Recogniser;
  readonly #resampler: Resampler | undefined;
  readonly #requestId = randomUUID();
  readonly #pending = new Set<NodeJS.Timeout>();
  #idle: NodeJS.Timeout | undefined;
  #oddByte: Buffer = Buffer.alloc(0);
  #startedAt = 0;
  #interimAt = 0;
  #interim = '';
  #utteranceEnd: number | undefined;
  #finalizing = false;
  /** When the last sound arrived; ms since the epoch. */
  #lastVoiceAt = 0;

  constructor(
    socket: WebSocket,
    options: DeepgramOptions,
    deps: Pick<VendorDeps, 'faults' | 'served' | 'callerLines' | 'pace' | 'diary'>,
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#faults = deps.faults;
    this.#served = deps.served;
    this.#diary = deps.diary;
    this.#transcriptMs = deps.pace.now.transcriptMs;
    this.#recogniser = new Recogniser(
      deps.callerLines,
      this.#transcriptMs === undefined ? {} : { endSilenceMs: HASTY_END_SILENCE_MS },
    );
    this.#resampler =
      options.sampleRate === SAMPLE_RATE
        ? undefined
        : new Resampler(options.sampleRate, SAMPLE_RATE);
    this.#recogniser.onSpeechStart((at) => this.#start(at));
    this.#recogniser.onHeard((heard) => this.#final(heard));
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#stop());
    this.#alive();
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#alive();
    const { drop, status } = this.#faults.of('stt');
    if (drop) {
      this.#socket.terminate();
    } else if (status !== undefined) {
      this.#socket.close(1011, 'NET-0000');
    } else if (isBinary) {
      this.#hear(bytesOf(data));
    } else {
      this.#command(bytesOf(data).toString());
    }
  }

  #hear(bytes: Buffer): void {
    // Deepgram takes an empty message as the end of the stream.
    if (bytes.length === 0) {
      this.#close();
      return;
    }
    const frameBytes = 2 * this.#options.channels;
    const all = this.#oddByte.length > 0 ? Buffer.concat([this.#oddByte, bytes]) : bytes;
    const whole = all.length - (all.length % frameBytes);
    this.#oddByte = Buffer.from(all.subarray(whole));
    const mono = mixDown(readSamples(all.subarray(0, whole)), this.#options.channels);
    this.#served.heard((mono.length / this.#options.sampleRate) * 1000);
    const sound = this.#resampler?.process(mono) ?? mono;
    if (loudness(sound) > VOICE_RMS) this.#lastVoiceAt = Date.now();
    this.#recogniser.feed(sound);
    this.#tellProgress();
    this.#tellUtteranceEnd();
  }

  #command(text: string): void {
    switch (typeOf(text)) {
      case 'KeepAlive':
        break;
      case 'Finalize':
        this.#finalizing = true;
        this.#recogniser.flush();
        if (this.#finalizing) this.#sendResults([], 0, this.#recogniser.now, true);
        this.#finalizing = false;
        break;
      case 'CloseStream':
        this.#close();
        break;
      default:
        this.#socket.close(1008, 'DATA-0000');
    }
  }

  #close(): void {
    this.#recogniser.flush();
    this.#send({
      type: 'Metadata',
      transaction_key: 'deprecated',
      request_id: this.#requestId,
      sha256: '0'.repeat(64),
      created: new Date().toISOString(),
      duration: this.#recogniser.now / 1000,
      channels: this.#options.channels,
      models: [MODEL_UUID],
      model_info: { [MODEL_UUID]: MODEL_INFO },
    });
    this.#later(() => this.#socket.close(1000));
  }

  #start(at: number): void {
    this.#diary.note('stt_first_sound', '', Date.now() - (this.#recogniser.now - at));
    this.#startedAt = at;
    this.#interimAt = at;
    this.#interim = '';
    this.#utteranceEnd = undefined;
    if (!this.#options.vadEvents || this.#faults.of('stt').silent) return;
    this.#send({
      type: 'SpeechStarted',
      channel: [0, this.#options.channels],
      timestamp: at / 1000,
    });
  }

  #final(heard: Heard): void {
    const text = heard.text ?? '';
    this.#diary.note('stt_last_sound', text, this.#lastVoiceAt);
    const leavesAt = this.#lastVoiceAt + (this.#transcriptMs ?? 0);
    this.#sendResults(wordsHeard(heard), heard.confidence, heard.endedAt, true, {
      waitMs: Math.max(0, leavesAt - Date.now()),
      sent: () => this.#diary.note('stt_transcript', text),
    });
    this.#finalizing = false;
    this.#interim = '';
    this.#startedAt = heard.endedAt;
    this.#utteranceEnd = heard.endedAt;
  }

  #tellProgress(): void {
    const now = this.#recogniser.now;
    if (!this.#options.interimResults || now - this.#interimAt < INTERIM_MS) return;
    this.#interimAt = now;
    const progress = this.#recogniser.progress();
    const text = progress ? wordsUpTo(progress.text, progress.heardTo) : '';
    if (text === '' || text === this.#interim) return;
    this.#interim = text;
    const heard = { text, startedAt: this.#startedAt, endedAt: now, confidence: 0.9 };
    const words = wordsHeard({ ...heard, complete: true, heardFrom: 0, heardTo: 1 });
    this.#sendResults(words, heard.confidence, now, false);
  }

  #tellUtteranceEnd(): void {
    const { utteranceEndMs } = this.#options;
    if (utteranceEndMs === undefined || this.#utteranceEnd === undefined) return;
    if (this.#recogniser.now - this.#utteranceEnd < utteranceEndMs) return;
    const lastWordEnd = this.#utteranceEnd / 1000;
    this.#utteranceEnd = undefined;
    this.#send({
      type: 'UtteranceEnd',
      channel: [0, this.#options.channels],
      last_word_end: lastWordEnd,
    });
  }

  #sendResults(
    words: TimedWord[],
    confidence: number,
    until: number,
    isFinal: boolean,
    { waitMs = 0, sent = () => undefined }: { waitMs?: number; sent?: () => void } = {},
  ): void {
    if (this.#faults.of('stt').silent) return;
    const alternative: DeepgramAlternative = alternativeOf(
      words,
      confidence,
      this.#options.punctuate,
    );
    const results: DeepgramMessage = {
      type: 'Results',
      channel_index: [0, this.#options.channels],
      duration: Math.max(0, until - this.#startedAt) / 1000,
      start: this.#startedAt / 1000,
      is_final: isFinal,
      speech_final: isFinal && this.#options.endpointing,
      from_finalize: this.#finalizing,
      channel: { alternatives: [alternative] },
      metadata: { request_id: this.#requestId, model_info: MODEL_INFO, model_uuid: MODEL_UUID },
    };
    this.#later(() => {
      this.#socket.send(JSON.stringify(results));
      sent();
    }, waitMs);
  }

  #send(message: DeepgramMessage): void {
    this.#later(() => this.#socket.send(JSON.stringify(message)));
  }

  /** Does something as late as the faults say; timers of one duration keep their order. */
  #later(act: () => void, waitMs = 0): void {
    const { delayMs: faultMs = 0, hang } = this.#faults.of('stt');
    if (hang) return;
    const delayMs = faultMs + waitMs;
    if (delayMs === 0) {
      if (this.#socket.readyState === this.#socket.OPEN) act();
      return;
    }
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      if (this.#socket.readyState === this.#socket.OPEN) act();
    }, delayMs);
    this.#pending.add(timer);
  }

  #alive(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#socket.close(1011, 'NET-0001'), IDLE_MS);
  }

  #stop(): void {
    clearTimeout(this.#idle);
    for (const timer of this.#pending) clearTimeout(timer);
    this.#recogniser.close();
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function typeOf(text: string): unknown {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null && 'type' in message
      ? message.type
      : undefined;
  } catch {
    return undefined;
  }
}
