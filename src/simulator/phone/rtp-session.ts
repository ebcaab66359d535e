import { randomInt } from 'node:crypto';
import { FRAME_SAMPLES, SAMPLE_RATE } from '../leg.ts';
import { Resampler } from '../resample.ts';
import { KeyReceiver, KeySender } from './dtmf.ts';
import { PCMA, PCMU, type G711 } from '../../platform/g711.ts';

import { JitterBuffer, NARROW_FRAME, type JitterStats } from './jitter-buffer.ts';
import { OutgoingSound } from './outgoing-sound.ts';
import { parseRtp, writeRtp } from './rtp-packet.ts';
import type { Peer } from './sip-address.ts';
import type { TimerSet } from './timer-set.ts';
import { UdpSocket } from './udp-socket.ts';

/** Of G.711. */
const NARROW_RATE = 8000;
const FRAME_MS = 20;
/** A process that stood still longer than this goes on from now instead of catching up: one second. */
const MOST_FRAMES_BEHIND = 50;

export type RtpStats = JitterStats & { sent: number; received: number; malformed: number };

/** What both sides have agreed on. */
export type RtpAgreement = {
  peer: Peer;
  codec: G711;
  /** Payload type of telephone events in what we send; undefined where the far end takes none. */
  eventType: number | undefined;
  /** Whether this side sends, as far as hold permits. */
  sending: boolean;
};

/**
 * The sound of one call: RTP with G.711 both ways (RFC 3551), telephone events (RFC 4733), one packet each
 * 20 ms on an absolute schedule, so that it never drifts. It sends from its start on, silence included,
 * since a far end takes missing RTP for a broken line.
 */
export class RtpSession {
  readonly #timers: TimerSet;
  readonly #outgoing = new OutgoingSound();
  readonly #keySender = new KeySender();
  readonly #keyReceiver = new KeyReceiver();
  readonly #jitter = new JitterBuffer();
  readonly #narrower = new Resampler(SAMPLE_RATE, NARROW_RATE);
  readonly #widener = new Resampler(NARROW_RATE, SAMPLE_RATE);
  readonly #soundListeners = new Set<(frame: Int16Array) => void>();
  readonly #keyListeners = new Set<(key: string) => void>();
  readonly #muted = { send: false, receive: false };
  readonly #ssrc = randomInt(1, 2 ** 32);
  readonly #firstTimestamp = randomInt(2 ** 32);
  readonly #counts = { sent: 0, received: 0, malformed: 0 };
  #socket: UdpSocket | undefined;
  #agreement: RtpAgreement | undefined;
  #sequence = randomInt(2 ** 16);
  #remoteSsrc: number | undefined;
  #recent: number[] = [];
  #startedAt = 0;
  #frames = 0;
  #talking = false;
  #closed = false;

  private constructor(timers: TimerSet) {
    this.#timers = timers;
  }

  /** Binds a port that the system chooses. */
  static async open(options: {
    host: string;
    allowedHosts: readonly string[];
    timers: TimerSet;
    port?: number | undefined;
  }): Promise<RtpSession> {
    const session = new RtpSession(options.timers);
    session.#socket = await UdpSocket.open({
      host: options.host,
      port: options.port ?? 0,
      allowedHosts: options.allowedHosts,
      onDatagram: (datagram) => session.#receive(datagram),
    });
    return session;
  }

  get port(): number {
    return this.#socket?.port ?? 0;
  }

  get stats(): RtpStats {
    return { ...this.#jitter.stats, ...this.#counts };
  }

  permits(peer: Peer): boolean {
    return this.#socket?.permits(peer) ?? false;
  }

  /** Begins to send and to hand out sound; later calls change codec, peer or direction on the way. */
  agree(agreement: RtpAgreement): void {
    const first = this.#agreement === undefined;
    this.#agreement = agreement;
    if (!first || this.#closed) return;
    this.#startedAt = performance.now();
    this.#tick();
  }

  onSound(listener: (frame: Int16Array) => void): () => void {
    this.#soundListeners.add(listener);
    return () => this.#soundListeners.delete(listener);
  }

  onKey(listener: (key: string) => void): () => void {
    this.#keyListeners.add(listener);
    return () => this.#keyListeners.delete(listener);
  }

  async play(sound: Int16Array, signal?: AbortSignal): Promise<void> {
    await this.#outgoing.play(sound, signal);
  }

  /** Resolves when all keys have been sent, or the session has closed. */
  async press(keys: string): Promise<void> {
    if (!this.#closed) await this.#keySender.press(keys);
  }

  /** Silences one direction; packets go on, so that nobody takes the line for broken. */
  mute(direction: 'send' | 'receive', muted: boolean): void {
    this.#muted[direction] = muted;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#outgoing.close();
    this.#keySender.cancel();
    this.#soundListeners.clear();
    this.#keyListeners.clear();
    await this.#socket?.close();
  }

  #tick(): void {
    if (this.#closed) return;
    const due = Math.floor((performance.now() - this.#startedAt) / FRAME_MS) + 1;
    if (due - this.#frames > MOST_FRAMES_BEHIND) this.#frames = due - 1;
    const frames = due - this.#frames;
    for (; this.#frames < due; this.#frames++) this.#sendFrame();
    // After a stall, packets lie unread in the socket: let them in before the buffer is asked for them.
    setImmediate(() => {
      for (let index = 0; index < frames && !this.#closed; index++) this.#handOut();
    });
    const next = this.#startedAt + this.#frames * FRAME_MS - performance.now();
    this.#timers.after(Math.max(0, Math.ceil(next)), () => this.#tick());
  }

  #sendFrame(): void {
    const agreement = this.#agreement;
    if (!agreement) return;
    const events = this.#keySender.next();
    // Sound waits while a key is down, so nothing of it is lost.
    const wide = events ? undefined : this.#outgoing.next();
    if (!agreement.sending) return;
    if (events && agreement.eventType !== undefined) {
      for (const { payload, marker, since } of events) {
        this.#send(
          agreement,
          agreement.eventType,
          marker,
          this.#frames * NARROW_FRAME - since,
          payload,
        );
      }
      this.#talking = false;
      return;
    }
    const heard = wide && !this.#muted.send ? wide : new Int16Array(FRAME_SAMPLES);
    const payload = agreement.codec.encode(this.#narrower.process(heard));
    this.#send(
      agreement,
      agreement.codec.payloadType,
      !this.#talking,
      this.#frames * NARROW_FRAME,
      payload,
    );
    this.#talking = true;
  }

  #send(
    agreement: RtpAgreement,
    payloadType: number,
    marker: boolean,
    samples: number,
    payload: Buffer,
  ): void {
    const timestamp = (this.#firstTimestamp + samples) >>> 0;
    const sequence = this.#sequence;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#counts.sent++;
    this.#socket?.send(
      writeRtp({ payloadType, marker, sequence, timestamp, ssrc: this.#ssrc, payload }),
      agreement.peer,
    );
  }

  #receive(datagram: Buffer): void {
    const packet = parseRtp(datagram);
    if (!packet) {
      this.#counts.malformed++;
      return;
    }
    if (packet.ssrc !== this.#remoteSsrc) this.#meet(packet.ssrc);
    if (this.#recent.includes(packet.sequence)) return;
    this.#recent.push(packet.sequence);
    if (this.#recent.length > 64) this.#recent.shift();
    this.#counts.received++;
    const codec = [PCMU, PCMA].find(({ payloadType }) => payloadType === packet.payloadType);
    if (codec) {
      this.#jitter.push(packet.timestamp, codec.decode(packet.payload));
    } else if (packet.payloadType >= 96) {
      const key = this.#keyReceiver.receive(packet.timestamp, packet.payload);
      if (key !== undefined) for (const listener of this.#keyListeners) listener(key);
    }
  }

  #meet(ssrc: number): void {
    this.#remoteSsrc = ssrc;
    this.#recent = [];
    this.#jitter.reset();
    this.#keyReceiver.reset();
  }

  #handOut(): void {
    const arrived = this.#jitter.pop() ?? new Int16Array(NARROW_FRAME);
    const wide = this.#widener.process(arrived);
    const frame = this.#muted.receive ? new Int16Array(FRAME_SAMPLES) : wide;
    for (const listener of this.#soundListeners) listener(frame);
  }
}
