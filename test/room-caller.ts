import {
  AudioFrame,
  AudioSource,
  AudioStream,
  LocalAudioTrack,
  Room,
  RoomEvent,
  TrackPublishOptions,
  TrackSource,
  type RemoteTrack,
} from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import { FRAME_SAMPLES, SAMPLE_RATE } from '../src/simulator/leg.ts';
import { OutgoingSound } from '../src/simulator/phone/outgoing-sound.ts';

/** Louder than the noise that a decoder makes of silence. */
const AUDIBLE = 500;
const STEP_MS = 20;
const QUEUE_MS = 200;

/** A caller by WebRTC, with the kind and the attributes of livekit-sip's participants. */
export class RoomCaller {
  /** Resolves when the agent can be heard. */
  readonly heard: Promise<void>;
  /** Resolves when the room was closed. */
  readonly ended: Promise<void>;
  readonly #room: Room;
  readonly #source = new AudioSource(SAMPLE_RATE, 1, QUEUE_MS);
  readonly #outgoing = new OutgoingSound();
  #timer: NodeJS.Timeout | undefined;
  #reader: ReadableStreamDefaultReader<AudioFrame> | undefined;

  private constructor(room: Room) {
    this.#room = room;
    const heard = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.heard = heard.promise;
    this.ended = ended.promise;
    room.on(RoomEvent.TrackSubscribed, (track) => void this.#hear(track, heard.resolve));
    room.on(RoomEvent.Disconnected, () => ended.resolve());
  }

  /** @param options.silentLine nothing comes over its line: no track, and so no packet */
  static async join(options: {
    url: string;
    room: string;
    access: { LIVEKIT_API_KEY: string; LIVEKIT_API_SECRET: string };
    silentLine?: boolean;
  }): Promise<RoomCaller> {
    const { LIVEKIT_API_KEY: key, LIVEKIT_API_SECRET: secret } = options.access;
    const token = new AccessToken(key, secret, {
      identity: 'sip_caller',
      attributes: {
        'sip.callStatus': 'active',
        'sip.phoneNumber': '+12025550149',
        'sip.trunkPhoneNumber': '+12025550123',
      },
    });
    token.kind = 'sip';
    token.addGrant({ roomJoin: true, room: options.room, canPublish: true, canSubscribe: true });
    const room = new Room();
    const caller = new RoomCaller(room);
    await room.connect(options.url, await token.toJwt(), { autoSubscribe: true, dynacast: false });
    if (!options.silentLine) await caller.#publish();
    return caller;
  }

  get room(): string {
    return this.#room.name ?? '';
  }

  async say(sound: Int16Array): Promise<void> {
    await this.#outgoing.play(sound);
  }

  async hangUp(): Promise<void> {
    clearInterval(this.#timer);
    this.#outgoing.close();
    await this.#reader?.cancel();
    await this.#room.disconnect();
    this.#room.removeAllListeners();
    await this.#source.close();
  }

  async #publish(): Promise<void> {
    await this.#room.localParticipant?.publishTrack(
      LocalAudioTrack.createAudioTrack('voice', this.#source),
      new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE }),
    );
    this.#timer = setInterval(() => {
      // Somewhat ahead, however late this process is.
      while (this.#source.queuedDuration < QUEUE_MS / 2) {
        const frame = new AudioFrame(this.#outgoing.next(), SAMPLE_RATE, 1, FRAME_SAMPLES);
        this.#source.captureFrame(frame).catch(() => undefined);
      }
    }, STEP_MS);
  }

  async #hear(track: RemoteTrack, heard: () => void): Promise<void> {
    const reader = new AudioStream(track, SAMPLE_RATE, 1).getReader();
    this.#reader = reader;
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      if (read.value.data.some((sample) => Math.abs(sample) > AUDIBLE)) heard();
    }
  }
}
