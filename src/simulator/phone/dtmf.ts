/** Keys by their event code (RFC 4733, table 3). */
const KEYS = '0123456789*#ABCD';

/** A telephone event's four bytes (RFC 4733, section 2.3). */
export type TelephoneEvent = {
  key: string;
  end: boolean;
  /** In units of 1/8000 s. */
  duration: number;
};

/** One packet of an event as the sender makes it. */
export type EventPacket = {
  payload: Buffer;
  /** Set on the first packet of an event. */
  marker: boolean;
  /** Samples since the event began: its RTP timestamp stays that of the beginning. */
  since: number;
};

const FRAME = 160;
/** 160 ms down and 100 ms up: well above what switches need (40 and 40 ms, ITU-T Q.24). */
const DOWN_FRAMES = 8;
const UP_FRAMES = 5;
/** The end is sent three times, since the packet may be lost (RFC 4733, section 2.5.1.4). */
const END_PACKETS = 3;
const VOLUME = 10;

function writeEvent(event: TelephoneEvent): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt8(KEYS.indexOf(event.key.toUpperCase()), 0);
  bytes.writeUInt8((event.end ? 0x80 : 0) | VOLUME, 1);
  bytes.writeUInt16BE(event.duration, 2);
  return bytes;
}

/** Parses an event; undefined where it is cut short or no key (flash, tones of modems). */
export function parseEvent(payload: Buffer): TelephoneEvent | undefined {
  if (payload.length < 4) return undefined;
  const key = KEYS[payload.readUInt8(0)];
  if (key === undefined) return undefined;
  return { key, end: (payload.readUInt8(1) & 0x80) !== 0, duration: payload.readUInt16BE(2) };
}

/** Whether all of a text can be pressed on a telephone. */
export function areKeys(text: string): boolean {
  return /^[0-9*#A-Da-d]+$/.test(text);
}

/** Turns keys into event packets, one frame of 20 ms after the other. */
export class KeySender {
  readonly #queue: { key: string; sent: () => void }[] = [];
  #frame = 0;

  /** Resolves when all of these keys have been sent, or will never be because of `cancel`. */
  async press(keys: string): Promise<void> {
    await Promise.all(
      keys
        .split('')
        .map((key) => new Promise<void>((resolve) => this.#queue.push({ key, sent: resolve }))),
    );
  }

  cancel(): void {
    for (const { sent } of this.#queue.splice(0)) sent();
  }

  /** The packets of this frame; undefined where no key is down and sound may be sent instead. */
  next(): EventPacket[] | undefined {
    const current = this.#queue[0];
    if (!current) return undefined;
    const frame = this.#frame++;
    if (frame > DOWN_FRAMES) {
      if (frame < DOWN_FRAMES + UP_FRAMES) return undefined;
      this.#frame = 0;
      this.#queue.shift();
      current.sent();
      return undefined;
    }
    const end = frame === DOWN_FRAMES;
    const duration = Math.min(frame + 1, DOWN_FRAMES) * FRAME;
    const packet: EventPacket = {
      payload: writeEvent({ key: current.key, end, duration }),
      marker: frame === 0,
      since: frame * FRAME,
    };
    return end ? Array.from({ length: END_PACKETS }, () => packet) : [packet];
  }
}

/** Tells each event once, however many of its packets arrive. */
export class KeyReceiver {
  #last: number | undefined;

  /** The key, where this packet is the first that arrived of its event. */
  receive(timestamp: number, payload: Buffer): string | undefined {
    const event = parseEvent(payload);
    if (!event) return undefined;
    // Timestamps wrap, and a packet of an earlier event may be overtaken.
    if (this.#last !== undefined && ((timestamp - this.#last) | 0) <= 0) return undefined;
    this.#last = timestamp;
    return event.key;
  }

  /** To be called when the sender changes, since timestamps begin anew. */
  reset(): void {
    this.#last = undefined;
  }
}
