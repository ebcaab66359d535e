import {
  DisconnectReason,
  ParticipantKind,
  RoomEvent,
  type Participant,
  type RemoteParticipant,
  type Room,
} from '@livekit/rtc-node';
import { isFinal } from './phone-end.ts';

/**
 * How long a phone that was lost without a clear reason may take to come back. When livekit-server was
 * restarted, livekit-sip joins again some 6 s after the loss.
 */
const REJOIN_MS = 12_000;

/**
 * The same for a phone whose connection timed out: livekit-server has waited 20.5 s already, and the ledger
 * must know within 25 s of the loss.
 */
const REJOIN_AFTER_TIMEOUT_MS = 2000;

/**
 * How long after an answer livekit-sip may leave it unsaid: it waits up to 1 s for sound from the far end.
 */
const UNSAID_MS = 2000;

const CALL_STATUS = 'sip.callStatus';

/**
 * The far end's participant in the room of one call.
 *
 *     (joins) ──▶ joined ──▶ ringing ──▶ answered ──▶ gone
 *                    └───────────┴───────────────────▶┘
 *
 * `sip.callStatus` counts up to the first `active` only: after a restart of livekit-server, livekit-sip
 * joins again with the attributes of its first join.
 */
export class PhoneLeg {
  readonly #room: Room;
  readonly #identity: string | undefined;
  readonly #joined = Promise.withResolvers<RemoteParticipant>();
  readonly #ringing = Promise.withResolvers<void>();
  readonly #answered = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<DisconnectReason>();
  #participant: RemoteParticipant | undefined;
  #publishedAt = Number.NEGATIVE_INFINITY;
  #lost: NodeJS.Timeout | undefined;

  /** @param identity of the far end; absent: the first SIP participant. */
  constructor(room: Room, identity?: string) {
    this.#room = room;
    this.#identity = identity;
    room.on(RoomEvent.ParticipantConnected, this.#onConnected);
    room.on(RoomEvent.ParticipantAttributesChanged, this.#onAttributes);
    room.on(RoomEvent.ParticipantDisconnected, this.#onDisconnected);
    room.on(RoomEvent.Disconnected, this.#onRoomLost);
    room.on(RoomEvent.LocalTrackPublished, this.#onPublished);
    for (const participant of room.remoteParticipants.values()) this.#onConnected(participant);
  }

  get joined(): Promise<RemoteParticipant> {
    return this.#joined.promise;
  }
  get ringing(): Promise<void> {
    return this.#ringing.promise;
  }
  get answered(): Promise<void> {
    return this.#answered.promise;
  }
  /** Resolves with LiveKit's reason when the far end, or the whole room, is gone for good. */
  get gone(): Promise<DisconnectReason> {
    return this.#gone.promise;
  }

  /**
   * Whether livekit-sip has answered an inbound call and not said so yet. It answers some 10 to 60 ms after
   * our track is there, but says `active` only when sound has come from the far end, which may hang up
   * before.
   */
  get answeredUnsaid(): boolean {
    return Date.now() - this.#publishedAt < UNSAID_MS;
  }
  /** As the far end's own messages name the call (RFC 3261, Call-ID). */
  get sipCallId(): string | undefined {
    const attributes = this.#participant?.attributes;
    return attributes?.['sip.callIDFull'] ?? attributes?.['sip.callID'];
  }

  close(): void {
    clearTimeout(this.#lost);
    this.#room.off(RoomEvent.ParticipantConnected, this.#onConnected);
    this.#room.off(RoomEvent.ParticipantAttributesChanged, this.#onAttributes);
    this.#room.off(RoomEvent.ParticipantDisconnected, this.#onDisconnected);
    this.#room.off(RoomEvent.Disconnected, this.#onRoomLost);
    this.#room.off(RoomEvent.LocalTrackPublished, this.#onPublished);
  }

  #isPhone(participant: Participant): boolean {
    const expected = this.#participant?.identity ?? this.#identity;
    if (expected !== undefined) return participant.identity === expected;
    return participant.info.kind === ParticipantKind.SIP;
  }

  readonly #onConnected = (participant: RemoteParticipant): void => {
    if (!this.#isPhone(participant)) return;
    clearTimeout(this.#lost);
    this.#participant = participant;
    this.#joined.resolve(participant);
    this.#follow(participant.attributes[CALL_STATUS]);
  };

  readonly #onAttributes = (changed: Record<string, string>, participant: Participant): void => {
    if (this.#isPhone(participant)) this.#follow(changed[CALL_STATUS]);
  };

  #follow(status: string | undefined): void {
    if (status === 'ringing') this.#ringing.resolve();
    if (status === 'active') this.#answered.resolve();
  }

  readonly #onDisconnected = (participant: RemoteParticipant): void => {
    if (!this.#participant || !this.#isPhone(participant)) return;
    const reason = participant.disconnectReason ?? DisconnectReason.UNKNOWN_REASON;
    if (isFinal(reason)) {
      this.#gone.resolve(reason);
      return;
    }
    const timedOut = reason === DisconnectReason.CONNECTION_TIMEOUT;
    clearTimeout(this.#lost);
    this.#lost = setTimeout(
      () => this.#gone.resolve(reason),
      timedOut ? REJOIN_AFTER_TIMEOUT_MS : REJOIN_MS,
    );
  };

  readonly #onPublished = (): void => {
    this.#publishedAt = Date.now();
  };

  readonly #onRoomLost = (reason: DisconnectReason): void => {
    const deleted = reason === DisconnectReason.ROOM_DELETED;
    this.#gone.resolve(deleted ? reason : DisconnectReason.AGENT_ERROR);
  };
}
