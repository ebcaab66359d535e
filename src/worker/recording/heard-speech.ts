import { voice } from '@livekit/agents';
import { AudioResampler, type AudioFrame } from '@livekit/rtc-node';
import { RECORDING_RATE } from '../../call/recording/mu-law-wav.ts';

export type SpeechListener = {
  /** @param at when the first moment of the sound leaves, ms of the clock; up to 0.3 s from now */
  sounds: (at: number, sound: Int16Array) => void;
  /** What was to sound from this time on does not. */
  cut: (from: number) => void;
};

/** The output's own reckoning of when its sound ends may differ by this from ours. */
const RECKONING_MS = 40;

/**
 * Follows what the agent says, as it is heard: an interruption takes back what had not left yet.
 *
 * The output is watched, not wrapped: a link in the framework's chain of outputs has to keep count of its
 * segments, or whoever waits for the end of a sentence waits for ever.
 */
export class HeardSpeech {
  readonly #output: voice.AudioOutput;
  readonly #listener: SpeechListener;
  readonly #clock: () => number;
  #resampler: AudioResampler | undefined;
  #sourceRate = 0;
  /** When all that was given to the output has sounded. */
  #soundsUntil = Number.NEGATIVE_INFINITY;
  /** Where the next resampled sound belongs. */
  #placeAt = 0;
  #interruptions = 0;

  constructor(output: voice.AudioOutput, listener: SpeechListener, clock: () => number) {
    this.#output = output;
    this.#listener = listener;
    this.#clock = clock;
    const capture = output.captureFrame.bind(output);
    output.captureFrame = async (frame) => {
      const interruptions = this.#interruptions;
      await capture(frame);
      // A frame that waited while the agent was broken off was thrown away.
      if (interruptions === this.#interruptions) this.#sound(frame);
    };
    output.on(voice.AudioOutput.EVENT_PLAYBACK_PROGRESSED, this.#onProgress);
    output.on(voice.AudioOutput.EVENT_PLAYBACK_FINISHED, this.#onFinished);
  }

  close(): void {
    Reflect.deleteProperty(this.#output, 'captureFrame');
    this.#output.off(voice.AudioOutput.EVENT_PLAYBACK_PROGRESSED, this.#onProgress);
    this.#output.off(voice.AudioOutput.EVENT_PLAYBACK_FINISHED, this.#onFinished);
    this.#endRun();
  }

  #sound(frame: AudioFrame): void {
    const now = this.#clock();
    if (now > this.#soundsUntil || frame.sampleRate !== this.#sourceRate) {
      this.#endRun();
      this.#placeAt = Math.max(now, this.#soundsUntil);
      this.#soundsUntil = this.#placeAt;
    }
    this.#soundsUntil += (frame.samplesPerChannel / frame.sampleRate) * 1000;
    if (frame.sampleRate === RECORDING_RATE) {
      this.#place([frame]);
      return;
    }
    this.#resampler ??= new AudioResampler(frame.sampleRate, RECORDING_RATE, 1);
    this.#sourceRate = frame.sampleRate;
    this.#place(this.#resampler.push(frame));
  }

  #place(frames: readonly AudioFrame[]): void {
    for (const { data } of frames) {
      this.#listener.sounds(this.#placeAt, data);
      this.#placeAt += (data.length / RECORDING_RATE) * 1000;
    }
  }

  /** The next sound does not follow on the last. */
  #endRun(): void {
    if (!this.#resampler) return;
    this.#place(this.#resampler.flush());
    this.#resampler.close();
    this.#resampler = undefined;
    this.#sourceRate = 0;
  }

  #cut(from: number): void {
    this.#endRun();
    this.#listener.cut(from);
    this.#soundsUntil = from;
  }

  /** A pause, or an interruption: the output tells how far it came. */
  readonly #onProgress = ({ startedAt, duration }: voice.PlaybackProgressedEvent): void => {
    const endedAt = this.#clock() - (Date.now() - (startedAt + duration));
    if (endedAt < this.#soundsUntil - RECKONING_MS) this.#cut(endedAt);
  };

  readonly #onFinished = ({ interrupted }: voice.PlaybackFinishedEvent): void => {
    if (!interrupted) return;
    this.#interruptions += 1;
    const now = this.#clock();
    if (now < this.#soundsUntil) this.#cut(now);
  };
}
