import type { voice } from '@livekit/agents';
import type { Room } from '@livekit/rtc-node';
import type { CallId } from '../../call/call-id.ts';
import type { Recorded } from '../../call/recording/finish-recording.ts';
import { recordingFile } from '../../call/recording/recording-file.ts';
import type { Log } from '../../platform/log.ts';
import { HeardSpeech } from './heard-speech.ts';
import { RecordingWriter } from './recording-writer.ts';
import { RoomEars } from './room-ears.ts';
import { StereoTimeline } from './stereo-timeline.ts';

const WRITE_EVERY_MS = 1000;

/** Sound that is not written yet, because it may still come late or be taken back. */
const HELD_BACK_MS = 2000;

/**
 * Records both sides of a call into a file below the folder of recordings, the caller left and the agent
 * right, as heard and spoken in this process: what the caller hears is some 0.1 s later on the line.
 *
 *     room's tracks ──▶ RoomEars ─────┐
 *                                     ├─▶ StereoTimeline ─(each second)─▶ RecordingWriter
 *     agent's output ─▶ HeardSpeech ──┘
 *
 * Never throws, and holds nobody up: a call goes on where it cannot be recorded.
 */
export class CallRecorder {
  readonly #writer: RecordingWriter;
  readonly #timeline: StereoTimeline;
  readonly #ears: RoomEars;
  readonly #speech: HeardSpeech | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #clock: () => number;
  #stopped: Promise<void> | undefined;
  #finished: Promise<Recorded | undefined> | undefined;

  /** Begins at once. */
  constructor(options: {
    folder: string;
    call: CallId;
    room: Room;
    /** What the agent speaks through; null where it has no voice. */
    output: voice.AudioOutput | null;
    log: Log;
    /**
     * Of a call whose recording another agent began: how long ago, in ms. What it has not written is silence.
     */
    continuesAtMs?: number;
    clock?: () => number;
  }) {
    const { folder, call, room, output, log } = options;
    const clock = options.clock ?? (() => performance.now());
    this.#clock = clock;
    const timeline = new StereoTimeline(clock());
    this.#timeline = timeline;
    this.#writer = new RecordingWriter({
      folder,
      file: recordingFile(call),
      continuesAtMs: options.continuesAtMs,
      onFailure: (err) => log.error({ err, call }, 'the call is not recorded'),
    });
    this.#ears = new RoomEars({
      room,
      hear: (at, sound) => timeline.add('caller', at, sound),
      clock,
      log,
    });
    this.#speech =
      output === null
        ? undefined
        : new HeardSpeech(
            output,
            {
              sounds: (at, sound) => timeline.add('agent', at, sound),
              cut: (from) => timeline.cut('agent', from),
            },
            clock,
          );
    this.#timer = setInterval(
      () => this.#writer.append(this.#timeline.take(clock() - HELD_BACK_MS)),
      WRITE_EVERY_MS,
    );
  }

  /** Ends the recording with this moment. Idempotent. */
  stop(): void {
    this.#stopped ??= this.#stop(this.#clock());
  }

  /**
   * Leaves the file to another agent, which has the call now.
   *
   * @returns undefined: there is nothing to tell of it
   */
  async abandon(): Promise<undefined> {
    this.stop();
    await this.#stopped;
    await this.#writer.abandon();
  }

  /**
   * Stops, and makes a recording of what there is. Idempotent.
   *
   * @returns what there is on the disk then; undefined where the call could not be recorded.
   */
  finish(): Promise<Recorded | undefined> {
    this.stop();
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<Recorded | undefined> {
    await this.#stopped;
    return this.#writer.finish();
  }

  async #stop(endsAt: number): Promise<void> {
    clearInterval(this.#timer);
    this.#speech?.close();
    await this.#ears.close();
    this.#writer.append(this.#timeline.take(endsAt));
  }
}
