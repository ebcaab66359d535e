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
 * How long after our track is there livekit-sip may leave its answer unsaid: it waits up to 0.75 s for the
 * ACK and then up to 1 s for sound from the far end, and on a busy machine each of its steps takes longer.
 */
const UNSAID_MS = 5000;

/**
 * How long livekit-sip may take to leave after it has said that the far end hung up; a few milliseconds are
 * usual.
 */
const LEAVE_MS = 1000;

const CALL_STATUS = 'sip.callStatus';

/** What livekit-server tells of a phone that leaves because the far end hung up. */
const HUNG_UP = DisconnectReason.CLIENT_INITIATED;

/**
 * The far end's participant in the room of one call.
 *
 *     (joins) ──▶ joined ──▶ ringing ──▶ answered ──▶ gone
 *                    └───────────┴───────────────────▶┘
 *
 * `sip.callStatus` counts up to the first `active`, because after a restart of livekit-server livekit-sip
 * joins again with the attributes of its first join. Its last value, `hangup`, always counts: livekit-sip
 * sets it when the far end hangs up, and leaves. But livekit-server reads nothing more from a connection that
 * it could not write to, so the leaving of a phone that is answered and hung up in one moment can be lost;
 * its participant then stays for 20.5 s, and at last times out like one whose livekit-sip was killed.
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
  #hungUpAt: number | undefined;
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
    return (this.#hungUpAt ?? Date.now()) - this.#publishedAt < UNSAID_MS;
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
    this.#hungUpAt = undefined;
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
    if (status === 'hangup' && this.#hungUpAt === undefined) {
      this.#hungUpAt = Date.now();
      clearTimeout(this.#lost);
      this.#lost = setTimeout(() => this.#gone.resolve(HUNG_UP), LEAVE_MS);
    }
  }

  readonly #onDisconnected = (participant: RemoteParticipant): void => {
    if (!this.#participant || !this.#isPhone(participant)) return;
    const reason = participant.disconnectReason ?? DisconnectReason.UNKNOWN_REASON;
    if (isFinal(reason)) {
      this.#gone.resolve(reason);
      return;
    }
    if (this.#hungUpAt !== undefined) {
      this.#gone.resolve(HUNG_UP);
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
