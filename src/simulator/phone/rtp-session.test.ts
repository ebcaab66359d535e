import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { PCMU } from '../../platform/g711.ts';
import { writeRtp } from './rtp-packet.ts';
import { RtpSession } from './rtp-session.ts';
import { TimerSet } from './timer-set.ts';

describe('an RTP session', () => {
  it('survives garbage, and hears what comes after it', async () => {
    const timers = new TimerSet();
    const session = await RtpSession.open({
      host: '127.0.0.1',
      allowedHosts: ['127.0.0.1'],
      timers,
    });
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const heard = { peak: 0 };
    let keys = '';
    session.onSound((frame) => (heard.peak = Math.max(heard.peak, ...frame)));
    session.onKey((key) => (keys += key));
    session.agree({
      peer: { host: '127.0.0.1', port: socket.address().port },
      codec: PCMU,
      eventType: 101,
      sending: true,
    });
    let seed = 3;
    const random = () => (seed = (seed * 16_807) % 2_147_483_647);
    for (let index = 0; index < 500; index++) {
      const bytes = Buffer.from(Array.from({ length: random() % 300 }, () => random() % 256));
      if (index % 2 === 0 && bytes.length > 1) bytes.set([0x80, [0, 8, 101, 13][index % 4] ?? 0]);
      socket.send(bytes, session.port, '127.0.0.1');
    }
    const loud = PCMU.encode(new Int16Array(160).fill(12_345));
    for (let sequence = 0; heard.peak < 12_000; sequence++) {
      const packet = {
        payloadType: 0,
        marker: false,
        sequence,
        timestamp: sequence * 160,
        ssrc: 9,
      };
      socket.send(writeRtp({ ...packet, payload: loud }), session.port, '127.0.0.1');
      await once(socket, 'message');
    }
    expect(session.stats.malformed).toBeGreaterThan(0);
    expect(keys.length).toBeLessThan(500);
    await session.close();
    timers.close();
    expect(timers.size).toBe(0);
    socket.close();
    await once(socket, 'close');
  });
});
