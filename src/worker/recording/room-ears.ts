import {
  AudioStream,
  RoomEvent,
  TrackKind,
  type AudioFrame,
  type RemoteTrack,
  type Room,
} from '@livekit/rtc-node';
import { RECORDING_RATE } from '../../call/recording/mu-law-wav.ts';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { StreamClock } from './stream-clock.ts';

/** Fewer and larger chunks cost the event loop less; they are in step all the same. */
const CHUNK_MS = 100;

/**
 * Hears everybody in a room but the agent, whoever comes and goes: the caller, and whom a call was handed to.
 * Independent of what the agent itself listens to, which is cut while it must not be interrupted.
 */
export class RoomEars {
  readonly #room: Room;
  readonly #hear: (at: number, sound: Int16Array) => void;
  readonly #clock: () => number;
  readonly #log: Log;
  readonly #listening = new Map<RemoteTrack, Promise<void>>();
  readonly #readers = new Set<ReadableStreamDefaultReader<AudioFrame>>();

  /** @param options.hear is given the time of a sound's first moment, ms of the clock */
  constructor(options: {
    room: Room;
    hear: (at: number, sound: Int16Array) => void;
    clock: () => number;
    log: Log;
  }) {
    this.#room = options.room;
    this.#hear = options.hear;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#room.on(RoomEvent.TrackSubscribed, this.#listen);
    for (const participant of this.#room.remoteParticipants.values()) {
      for (const { track } of participant.trackPublications.values()) {
        if (track) this.#listen(track);
      }
    }
  }

  /** Resolves when nothing is listened to any more. */
  async close(): Promise<void> {
    this.#room.off(RoomEvent.TrackSubscribed, this.#listen);
    for (const reader of this.#readers) void reader.cancel().catch(() => undefined);
    await Promise.all(this.#listening.values());
  }

  readonly #listen = (track: RemoteTrack): void => {
    if (track.kind !== TrackKind.KIND_AUDIO || this.#listening.has(track)) return;
    const heard = this.#follow(track)
      .catch((thrown: unknown) => {
        this.#log.warn({ err: asError(thrown) }, 'a side of the call is not recorded any more');
      })
      .finally(() => this.#listening.delete(track));
    this.#listening.set(track, heard);
  };

  async #follow(track: RemoteTrack): Promise<void> {
    const clock = new StreamClock(this.#hear);
    const reader = new AudioStream(track, {
      sampleRate: RECORDING_RATE,
      numChannels: 1,
      frameSizeMs: CHUNK_MS,
    }).getReader();
    this.#readers.add(reader);
    try {
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        clock.push(read.value.data, this.#clock());
      }
    } finally {
      this.#readers.delete(reader);
      clock.flush();
    }
  }
}
