import { randomBytes } from 'node:crypto';
import {
  AudioStream,
  RoomEvent,
  TrackKind,
  type AudioFrame,
  type RemoteParticipant,
  type RemoteTrack,
  type Room,
} from '@livekit/rtc-node';
import { PHONE_IDENTITY } from '../call/job-metadata.ts';
import type { Config } from '../platform/config.ts';
import { asError } from '../platform/errors.ts';
import { connectLiveKit, type LiveKit } from '../platform/livekit.ts';
import type { Log } from '../platform/log.ts';
import { outboundTrunkId } from '../trunk/outbound-trunk-id.ts';
import { FRAME_SAMPLES, SAMPLE_RATE, UnansweredError, type Leg, type LegEnd } from './leg.ts';
import { endOfRefusal } from './loopback-refusal.ts';
import { joinAsCaller } from './loopback-room.ts';
import type { LoopbackVoice } from './loopback-voice.ts';

export type LoopbackOptions = {
  config: Config;
  /** Number to dial: one of the loopback trunk's own. */
  to: string;
  log: Log;
  /** Hangs up where it aborts. */
  signal?: AbortSignal;
  /** Name of the trunk; absent: `loopback`. */
  trunk?: string;
  /** LiveKit's id of the outbound trunk, where the caller of this function knows it. */
  trunkId?: string;
};

/** livekit-sip rings no longer than this, and its API waits at most 80 s. */
const RINGING_TIMEOUT_S = 75;
const CALL_STATUS = 'sip.callStatus';

/**
 * Calls a number over livekit-sip's loopback trunk: a room with the simulated caller in it, from which
 * livekit-sip dials itself, so that the sound really crosses SIP, RTP and G.711.
 *
 * @returns the leg, when the call is on its way.
 */
export async function dialLoopback(options: LoopbackOptions): Promise<Leg> {
  options.signal?.throwIfAborted();
  const livekit = connectLiveKit(options.config);
  const trunkId =
    options.trunkId ?? (await outboundTrunkId(livekit.sip, options.trunk ?? 'loopback'));
  const id = `loopback_${randomBytes(6).toString('hex')}`;
  const { room, voice } = await joinAsCaller(options.config, id);
  const leg = new LoopbackLeg({ id, room, voice, livekit, log: options.log });
  leg.dial(trunkId, options.to);
  options.signal?.addEventListener('abort', () => void leg.hangUp(), { once: true });
  return leg;
}

/** The caller's end of a call over the loopback trunk. */
class LoopbackLeg implements Leg {
  readonly id: string;
  readonly answered: Promise<void>;
  readonly ended: Promise<LegEnd>;
  readonly #room: Room;
  readonly #voice: LoopbackVoice;
  readonly #livekit: LiveKit;
  readonly #log: Log;
  readonly #soundListeners = new Set<(frame: Int16Array) => void>();
  readonly #keyListeners = new Set<(key: string) => void>();
  readonly #readers = new Set<ReadableStreamDefaultReader<AudioFrame>>();
  readonly #answer = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<LegEnd>();
  #state: 'early' | 'answered' | 'ended' = 'early';
  #deaf = false;

  constructor(parts: { id: string; room: Room; voice: LoopbackVoice; livekit: LiveKit; log: Log }) {
    this.id = parts.id;
    this.#room = parts.room;
    this.#voice = parts.voice;
    this.#livekit = parts.livekit;
    this.#log = parts.log;
    this.answered = this.#answer.promise;
    this.answered.catch(() => {});
    this.ended = this.#end.promise;
    this.#listenToRoom();
  }

  /** Has livekit-sip dial; how that ends shows in `answered` and `ended`. */
  dial(trunkId: string, to: string): void {
    this.#livekit.sip
      .createSipParticipant(trunkId, to, this.id, {
        participantIdentity: PHONE_IDENTITY,
        hidePhoneNumber: true,
        waitUntilAnswered: true,
        ringingTimeout: RINGING_TIMEOUT_S,
        timeout: RINGING_TIMEOUT_S + 5,
      })
      .then(
        () => this.#markAnswered(),
        (thrown: unknown) => this.#refused(asError(thrown)),
      );
  }

  onSound(listener: (frame: Int16Array) => void): () => void {
    this.#soundListeners.add(listener);
    return () => this.#soundListeners.delete(listener);
  }

  onKey(listener: (key: string) => void): () => void {
    this.#keyListeners.add(listener);
    return () => this.#keyListeners.delete(listener);
  }

  /** @throws {UnansweredError} where the call ended before it was answered. */
  async play(sound: Int16Array, signal?: AbortSignal): Promise<void> {
    await this.answered;
    await this.#voice.play(sound, signal);
  }

  /** @throws Error where a character is no key; {UnansweredError} where the call was never answered. */
  async press(keys: string): Promise<void> {
    await this.answered;
    await this.#voice.press(keys);
  }

  mute(direction: 'send' | 'receive', muted: boolean): void {
    if (direction === 'send') this.#voice.mute(muted);
    else this.#deaf = muted;
  }

  async hangUp(): Promise<void> {
    this.#finish({ by: 'local', reason: 'hung up' });
    await this.ended;
  }

  #listenToRoom(): void {
    const isPhone = (participant: { identity: string }) => participant.identity === PHONE_IDENTITY;
    this.#room
      .on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
        if (isPhone(participant) && track.kind === TrackKind.KIND_AUDIO) void this.#hear(track);
      })
      .on(RoomEvent.ParticipantAttributesChanged, (changed, participant) => {
        if (isPhone(participant) && changed[CALL_STATUS] === 'active') this.#markAnswered();
      })
      .on(RoomEvent.DtmfReceived, (_code, key, participant: RemoteParticipant) => {
        if (!isPhone(participant)) return;
        for (const listener of this.#keyListeners) listener(key.toUpperCase());
      })
      .on(RoomEvent.ParticipantDisconnected, (participant) => {
        // Before the answer the refusal itself tells more than the leaving.
        if (isPhone(participant) && this.#state === 'answered') {
          this.#finish({ by: 'remote', reason: 'the far end hung up' });
        }
      })
      .on(RoomEvent.Disconnected, () => {
        this.#finish({ by: 'remote', reason: 'the room was closed' });
      });
  }

  async #hear(track: RemoteTrack): Promise<void> {
    const stream = new AudioStream(track, {
      sampleRate: SAMPLE_RATE,
      numChannels: 1,
      frameSizeMs: 20,
    });
    const reader = stream.getReader();
    this.#readers.add(reader);
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      if (this.#state !== 'answered') continue;
      const frame = this.#deaf ? new Int16Array(FRAME_SAMPLES) : read.value.data;
      for (const listener of this.#soundListeners) listener(frame);
    }
    this.#readers.delete(reader);
  }

  #markAnswered(): void {
    if (this.#state !== 'early') return;
    this.#state = 'answered';
    this.#answer.resolve();
  }

  #refused(error: Error): void {
    // Aborting the dial is how this side hangs up; and a call may end while the API still answers.
    if (this.#state !== 'early') return;
    const end = endOfRefusal(error);
    if (end.status === undefined) this.#log.warn({ leg: this.id, err: error }, 'could not dial');
    this.#finish(end);
  }

  #finish(end: LegEnd): void {
    if (this.#state === 'ended') return;
    const unanswered = this.#state === 'early';
    this.#state = 'ended';
    void this.#release().then(() => {
      if (unanswered) this.#answer.reject(new UnansweredError(end));
      this.#end.resolve(end);
      return undefined;
    });
  }

  /** Everything of this call, but nothing of the native library, which other calls share. */
  async #release(): Promise<void> {
    this.#soundListeners.clear();
    this.#keyListeners.clear();
    const steps = [
      // CANCEL while it rings, BYE after.
      async () => this.#livekit.rooms.deleteRoom(this.id),
      async () => Promise.all([...this.#readers].map(async (reader) => reader.cancel())),
      async () => this.#voice.close(),
      async () => this.#room.disconnect(),
    ];
    for (const step of steps) {
      await step().catch((thrown: unknown) => {
        this.#log.debug({ leg: this.id, err: asError(thrown) }, 'could not release a part');
      });
    }
    this.#room.removeAllListeners();
  }
}
