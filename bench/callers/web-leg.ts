import { randomBytes } from 'node:crypto';
import {
  AudioFrame,
  AudioSource,
  AudioStream,
  LocalAudioTrack,
  Room,
  RoomEvent,
  TrackKind,
  TrackPublishOptions,
  TrackSource,
  type RemoteTrack,
} from '@livekit/rtc-node';
import { RoomAgentDispatch, RoomConfiguration } from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import type { LegEnd } from '../../src/simulator/leg.ts';
import { FRAME_SAMPLES, SAMPLE_RATE } from '../../src/simulator/leg.ts';
import { OutgoingSound } from '../../src/simulator/phone/outgoing-sound.ts';
import { INBOUND_ROOM_PREFIX } from '../../src/trunk/livekit-objects.ts';
import { NUMBER } from '../contender/greeting.ts';
import { soundQuality, type SoundQuality } from './sound-quality.ts';
import type { CallerLeg } from './caller-leg.ts';

/** Two frames of the telephone at a time: half the work for many callers in one process. */
const FRAMES = 2;
const STEP_MS = 20 * FRAMES;
const QUEUE_MS = 200;

export type LiveKitAddress = { url: string; apiKey: string; apiSecret: string };

/**
 * A caller who joins a room by WebRTC, with the kind and the attributes of livekit-sip's participants, so
 * that an agent cannot tell it from a telephone. The room asks for the agent as the dispatch rule's does.
 */
export class WebLeg implements CallerLeg {
  readonly ended: Promise<LegEnd>;
  readonly #room: Room;
  readonly #source: AudioSource;
  readonly #outgoing = new OutgoingSound();
  readonly #end = Promise.withResolvers<LegEnd>();
  readonly #startedAt = performance.now();
  readonly #listeners = new Set<(frame: Int16Array) => void>();
  readonly #timer: NodeJS.Timeout;
  #reader: ReadableStreamDefaultReader<AudioFrame> | undefined;
  #steps = 0;

  private constructor(room: Room, source: AudioSource) {
    this.#room = room;
    this.#source = source;
    this.ended = this.#end.promise;
    room
      .on(RoomEvent.TrackSubscribed, (track) => {
        if (track.kind === TrackKind.KIND_AUDIO) void this.#hear(track);
      })
      .on(RoomEvent.Disconnected, () =>
        this.#end.resolve({ by: 'remote', reason: 'the room was closed' }),
      );
    this.#timer = setInterval(() => this.#send(), STEP_MS);
  }

  static async join(livekit: LiveKitAddress): Promise<WebLeg> {
    const id = randomBytes(6).toString('hex');
    const room = new Room();
    const name = `${INBOUND_ROOM_PREFIX}_bench_${id}`;
    const source = new AudioSource(SAMPLE_RATE, 1, QUEUE_MS);
    const leg = new WebLeg(room, source);
    try {
      await room.connect(livekit.url, await tokenFor(livekit, name, id), {
        autoSubscribe: true,
        dynacast: false,
      });
      await room.localParticipant?.publishTrack(
        LocalAudioTrack.createAudioTrack('voice', source),
        new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE }),
      );
    } catch (thrown) {
      await leg.hangUp();
      throw thrown;
    }
    return leg;
  }

  onSound(listener: (frame: Int16Array) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async play(sound: Int16Array, signal?: AbortSignal): Promise<void> {
    await this.#outgoing.play(sound, signal);
  }

  /** How the agent's sound arrived so far. */
  async quality(): Promise<SoundQuality | undefined> {
    if (!this.#room.isConnected) return undefined;
    const stats = await this.#room.getRtcStats();
    // Which of the two depends on whether livekit-server uses one connection for both directions.
    return soundQuality([...stats.subscriberStats, ...stats.publisherStats]);
  }

  async hangUp(): Promise<void> {
    clearInterval(this.#timer);
    this.#outgoing.close();
    this.#listeners.clear();
    this.#room.removeAllListeners();
    await this.#reader?.cancel();
    await this.#room.disconnect();
    await this.#source.close();
    this.#end.resolve({ by: 'local', reason: 'hung up' });
  }

  /** On an absolute schedule; what piled up while the process stood still is left out. */
  #send(): void {
    const due = Math.floor((performance.now() - this.#startedAt) / STEP_MS);
    if (due - this.#steps > QUEUE_MS / STEP_MS) this.#steps = due - 1;
    for (; this.#steps < due; this.#steps += 1) {
      const sound = new Int16Array(FRAMES * FRAME_SAMPLES);
      for (let frame = 0; frame < FRAMES; frame += 1) {
        sound.set(this.#outgoing.next(), frame * FRAME_SAMPLES);
      }
      const frame = new AudioFrame(sound, SAMPLE_RATE, 1, sound.length);
      // It fails only where the room has closed meanwhile.
      this.#source.captureFrame(frame).catch(() => undefined);
    }
  }

  async #hear(track: RemoteTrack): Promise<void> {
    const stream = new AudioStream(track, {
      sampleRate: SAMPLE_RATE,
      numChannels: 1,
      frameSizeMs: STEP_MS,
    });
    const reader = stream.getReader();
    this.#reader = reader;
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const { data } = read.value;
      for (let start = 0; start < data.length; start += FRAME_SAMPLES) {
        const frame = data.subarray(start, start + FRAME_SAMPLES);
        for (const listener of this.#listeners) listener(frame);
      }
    }
  }
}

async function tokenFor(livekit: LiveKitAddress, room: string, id: string): Promise<string> {
  const token = new AccessToken(livekit.apiKey, livekit.apiSecret, {
    identity: `sip_bench_${id}`,
    attributes: {
      'sip.callStatus': 'active',
      'sip.callID': `bench_${id}`,
      'sip.phoneNumber': '+12025550149',
      'sip.trunkPhoneNumber': NUMBER,
    },
  });
  token.kind = 'sip';
  token.addGrant({ roomJoin: true, room, canPublish: true, canSubscribe: true });
  const metadata = JSON.stringify({ direction: 'inbound', trunk: 'simulator' });
  token.roomConfig = new RoomConfiguration({
    emptyTimeout: 10,
    agents: [new RoomAgentDispatch({ agentName: 'trunkline', metadata })],
  });
  return token.toJwt();
}
