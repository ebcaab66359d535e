import { describe, expect, it } from 'vitest';
import { KeyReceiver, KeySender, areKeys, parseEvent } from './dtmf.ts';
import { JitterBuffer, NARROW_FRAME } from './jitter-buffer.ts';
import { OutgoingSound } from './outgoing-sound.ts';
import { parseRtp, writeRtp } from './rtp-packet.ts';
import { answeredDirection, chooseCodec, parseSdp, writeSdp } from './sdp.ts';
import { PCMA, PCMU } from '../../platform/g711.ts';

const frame = (value: number) => new Int16Array(NARROW_FRAME).fill(value);

describe('an RTP packet', () => {
  const packet = {
    payloadType: 101,
    marker: true,
    sequence: 65_535,
    timestamp: 4_294_967_295,
    ssrc: 3_000_000_000,
    payload: Buffer.from('abc'),
  };

  it('is read as it was written', () => {
    expect(parseRtp(writeRtp(packet))).toEqual(packet);
  });

  it('is read past contributing sources, extension and padding', () => {
    const plain = writeRtp({ ...packet, payload: Buffer.alloc(0) });
    plain[0] = 0x80 | 0x20 | 0x10 | 1;
    const rest = Buffer.from([1, 2, 3, 4, 0xbe, 0xde, 0, 1, 9, 9, 9, 9, 0x61, 0x62, 0, 2]);
    expect(parseRtp(Buffer.concat([plain, rest]))?.payload.toString()).toBe('ab');
  });

  it.each([
    ['an empty datagram', Buffer.alloc(0)],
    ['a short header', Buffer.alloc(11, 0x80)],
    ['another version', Buffer.alloc(20)],
    ['more sources than bytes', Buffer.from([0x8f, ...Buffer.alloc(12)])],
    ['more padding than bytes', Buffer.from([0xa0, ...Buffer.alloc(11), 255])],
    ['an extension cut short', Buffer.from([0x90, ...Buffer.alloc(12)])],
  ])('is not read from %s', (_, datagram) => {
    expect(parseRtp(datagram)).toBeUndefined();
  });
});

describe('keys', () => {
  it('are sent as events of 160 ms with one marker and three ends', () => {
    const sender = new KeySender();
    void sender.press('7');
    const packets = Array.from({ length: 20 }, () => sender.next() ?? []).flat();
    expect(packets.map(({ marker }) => marker).filter(Boolean)).toHaveLength(1);
    const events = packets.map(({ payload }) => parseEvent(payload));
    expect(events.filter((event) => event?.end)).toEqual(
      Array.from({ length: 3 }, () => ({ key: '7', end: true, duration: 1280 })),
    );
    expect(events.slice(0, 3).map((event) => event?.duration)).toEqual([160, 320, 480]);
  });

  it('are told once each, the same key twice in a row included, and across the wrap of timestamps', () => {
    const sender = new KeySender();
    void sender.press('99#D');
    const receiver = new KeyReceiver();
    const heard: string[] = [];
    let timestamp = 2 ** 32 - 2000;
    for (let index = 0; index < 60; index++) {
      for (const { payload, since } of sender.next() ?? []) {
        const key = receiver.receive((timestamp - since) >>> 0, payload);
        if (key !== undefined) heard.push(key);
      }
      timestamp = (timestamp + 160) >>> 0;
    }
    expect(heard.join('')).toBe('99#D');
  });

  it('are told even where only the last packet of an event arrives', () => {
    expect(new KeyReceiver().receive(1, Buffer.from([10, 0x8a, 0x05, 0x00]))).toBe('*');
  });

  it('are not made of flashes and cut packets', () => {
    expect(new KeyReceiver().receive(1, Buffer.from([16, 0x8a, 0, 1]))).toBeUndefined();
    expect(new KeyReceiver().receive(1, Buffer.from([1, 2]))).toBeUndefined();
    expect(areKeys('12#*Ad')).toBe(true);
    expect(areKeys('12x')).toBe(false);
    expect(areKeys('')).toBe(false);
  });
});

describe('the jitter buffer', () => {
  const values = (buffer: JitterBuffer, pops: number) =>
    Array.from({ length: pops }, () => buffer.pop()?.[0]);

  it('waits two frames, then gives frames in the order of their timestamps', () => {
    const buffer = new JitterBuffer();
    const start = 2 ** 32 - 200;
    for (const index of [0, 2, 1, 3]) {
      buffer.push((start + index * NARROW_FRAME) >>> 0, frame(index + 1));
    }
    expect(values(buffer, 7)).toEqual([undefined, undefined, 1, 2, 3, 4, undefined]);
    expect(buffer.stats.gaps).toBe(0);
  });

  it('plays a hole where a packet is missing and counts it', () => {
    const buffer = new JitterBuffer();
    for (const index of [0, 1, 3]) buffer.push(index * NARROW_FRAME, frame(index + 1));
    expect(values(buffer, 6)).toEqual([undefined, undefined, 1, 2, 0, 4]);
    expect(buffer.stats.gaps).toBe(1);
  });

  it('drops what comes after its time, while other sound is there', () => {
    const buffer = new JitterBuffer();
    for (const index of [0, 2, 3]) buffer.push(index * NARROW_FRAME, frame(index + 1));
    values(buffer, 4);
    buffer.push(NARROW_FRAME, frame(2));
    expect(values(buffer, 1)).toEqual([3]);
    expect(buffer.stats.late).toBe(1);
  });

  it('delays sound after a stall and loses none of it', () => {
    const buffer = new JitterBuffer();
    buffer.push(0, frame(1));
    values(buffer, 10);
    for (let index = 1; index <= 5; index++) buffer.push(index * NARROW_FRAME, frame(index + 1));
    expect(values(buffer, 7)).toEqual([undefined, undefined, 2, 3, 4, 5, 6]);
  });

  it('wins back delay that nothing needs, in silence and never in speech', () => {
    const buffer = new JitterBuffer();
    const depthMs = 160;
    let timestamp = 0;
    const push = (value: number) => {
      buffer.push(timestamp, frame(value));
      timestamp += NARROW_FRAME;
    };
    const run = (value: number) => {
      for (let index = 0; index < 100; index++) {
        push(value);
        buffer.pop();
      }
    };
    for (let index = 0; index < depthMs / 20; index++) push(1000);
    run(1000);
    expect(buffer.stats.skipped).toBe(0);
    run(0);
    // Two frames of waiting came on top; two remain as a reserve.
    expect(buffer.stats.skipped).toBe(depthMs / 20 + 2 - 2);
    expect(buffer.stats).toMatchObject({ gaps: 0, underruns: 0 });
  });

  it('joins packets of 10 and 30 ms to frames of 20', () => {
    const buffer = new JitterBuffer();
    buffer.push(0, frame(1).subarray(0, 80));
    buffer.push(
      80,
      Int16Array.from({ length: 240 }, () => 2),
    );
    values(buffer, 2);
    const first = buffer.pop();
    expect([first?.[79], first?.[80], first?.length]).toEqual([1, 2, NARROW_FRAME]);
    expect(buffer.pop()?.[159]).toBe(2);
  });

  it('survives a jump of the timestamps', () => {
    const buffer = new JitterBuffer();
    buffer.push(0, frame(1));
    buffer.push(1_000_000, frame(2));
    expect(values(buffer, 3)).toEqual([undefined, undefined, 2]);
  });
});

describe('outgoing sound', () => {
  it('is taken in order, the last frame filled up with silence', async () => {
    const sound = new OutgoingSound();
    const played = [
      sound.play(new Int16Array(330).fill(1)),
      sound.play(new Int16Array(320).fill(2)),
    ];
    const frames = Array.from({ length: 4 }, () => sound.next());
    await Promise.all(played);
    expect(frames.map((taken) => taken[0])).toEqual([1, 1, 2, 0]);
    expect(frames[1]?.[10]).toBe(0);
  });

  it('is broken off by its signal and leaves the next sound alone', async () => {
    const sound = new OutgoingSound();
    const abort = new AbortController();
    const first = sound.play(new Int16Array(3200).fill(1), abort.signal);
    void sound.play(new Int16Array(320).fill(2));
    expect(sound.next()[0]).toBe(1);
    abort.abort();
    await first;
    expect(sound.next()[0]).toBe(2);
    sound.close();
  });
});

describe('a session description', () => {
  it('is read as it was written', () => {
    const text = writeSdp({
      host: '127.0.0.1',
      port: 4000,
      codecs: [PCMA, PCMU],
      eventType: 101,
      direction: 'sendonly',
      version: 1,
    });
    expect(parseSdp(text)).toEqual({
      peer: { host: '127.0.0.1', port: 4000 },
      codecs: [PCMA, PCMU],
      eventType: 101,
      direction: 'sendonly',
    });
  });

  const offer = (media: string[]) =>
    ['v=0', 'o=- 1 1 IN IP4 127.0.0.2', 's=-', 'c=IN IP4 127.0.0.2', 't=0 0', ...media].join(
      '\r\n',
    );

  it('knows static payload types without their names, and skips what it cannot play', () => {
    const media = parseSdp(
      offer(['m=audio 5004 RTP/AVP 9 96 8 0', 'a=rtpmap:96 opus/48000/2', 'c=IN IP4 127.0.0.1']),
    );
    expect(media?.codecs).toEqual([PCMA, PCMU]);
    expect(media?.peer).toEqual({ host: '127.0.0.1', port: 5004 });
    expect(media?.eventType).toBeUndefined();
    expect(media && chooseCodec(['PCMU'], media)).toBe(PCMU);
  });

  it('is no use without G.711, with encryption, or without audio', () => {
    expect(parseSdp(offer(['m=audio 5004 RTP/AVP 9']))).toBeUndefined();
    expect(parseSdp(offer(['m=audio 5004 RTP/SAVP 0']))).toBeUndefined();
    expect(parseSdp(offer(['m=video 5004 RTP/AVP 0']))).toBeUndefined();
    expect(parseSdp('garbage')).toBeUndefined();
  });

  it('is answered with the opposite direction', () => {
    expect(answeredDirection('sendonly')).toBe('recvonly');
    expect(answeredDirection('recvonly')).toBe('sendonly');
    expect(answeredDirection('inactive')).toBe('inactive');
  });
});
