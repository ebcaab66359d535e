import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { FRAME_SAMPLES, SAMPLE_RATE, UnansweredError, type Leg } from '../leg.ts';
import { Resampler } from '../resample.ts';
import { PCMA, PCMU, type G711, type G711Name } from '../../platform/g711.ts';
import { SipPhone, type SipPhoneOptions } from './sip-phone.ts';

const log = createLog('test', 'error');
/** Transactions live 6.4 s, so that a machine that stands still for a second ends none of them. */
const FAST = { t1Ms: 100, t2Ms: 400 };
const NUMBER = '+12025550120';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function openPhone(options: Partial<SipPhoneOptions> = {}): Promise<SipPhone> {
  const phone = await SipPhone.open({ address: '127.0.0.1:0', log, timing: FAST, ...options });
  cleanups.push(async () => phone.close());
  return phone;
}

/** Two phones and a call between them, answered. */
async function connect(options: { codecs?: readonly G711Name[] } = {}) {
  const [caller, callee] = [await openPhone(options), await openPhone()];
  const expected = callee.expect({ to: NUMBER }, { kind: 'answer', afterMs: 10 });
  const near = await caller.call({ to: NUMBER, from: '+12025550130', trunkHost: callee.address });
  const far = await expected;
  await Promise.all([near.answered, far.answered]);
  return { caller, callee, near, far };
}

async function refusal(leg: Leg): Promise<number | undefined> {
  const error = await leg.answered.then(
    () => new Error('it was answered'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UnansweredError)) throw error;
  return error.end.status;
}

/** Leaves the machine to the phones in between, and ends with the test. */
async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { interval: 10 });
}

function collect(leg: Leg): { all: () => Int16Array } {
  const frames: Int16Array[] = [];
  leg.onSound((frame) => frames.push(frame));
  return { all: () => Int16Array.from(frames.flatMap((frame) => [...frame])) };
}

/** Half a second that is loud from its first sample to its last, so that a lost frame shows. */
function speechLike(): Int16Array {
  let seed = 1;
  return Int16Array.from({ length: SAMPLE_RATE / 2 }, (_, index) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.round(9000 * Math.sin(index / 7) + 6000 * Math.sin(index / 31) + (seed % 2000));
  });
}

/** What must be heard of a sound: resampled, coded, decoded and resampled again, after silence. */
function throughTheLine(sound: Int16Array, codec: G711): Int16Array {
  const silence = new Int16Array(FRAME_SAMPLES * 10);
  const input = new Int16Array(silence.length * 2 + sound.length);
  input.set(sound, silence.length);
  const narrow = new Resampler(SAMPLE_RATE, 8000).process(input);
  const wide = new Resampler(8000, SAMPLE_RATE).process(codec.decode(codec.encode(narrow)));
  return wide.subarray(silence.length, silence.length + sound.length);
}

function indexOfSound(heard: Int16Array, wanted: Int16Array): number {
  return Buffer.from(heard.buffer).indexOf(Buffer.from(wanted.slice().buffer));
}

describe('a call between two phones', () => {
  it.each([
    { name: 'PCMU' as const, codec: PCMU },
    { name: 'PCMA' as const, codec: PCMA },
  ])('carries sound exactly as $name makes it, both ways at once', async ({ name, codec }) => {
    const { near, far } = await connect({ codecs: [name] });
    const heardFar = collect(far);
    const heardNear = collect(near);
    const sound = speechLike();
    const wanted = throughTheLine(sound, codec);
    const count = (name: 'gaps' | 'underruns' | 'skipped') =>
      near.stats()[name] + far.stats()[name];
    for (let whole = false; !whole;) {
      const [gaps, delays] = [count('gaps'), count('underruns') + count('skipped')];
      await Promise.all([near.play(sound), far.play(sound)]);
      const [fromNear, fromFar] = [near.stats().sent, far.stats().sent];
      await until(() => far.stats().played > fromNear + 10 && near.stats().played > fromFar + 10);
      const arrived = [heardFar, heardNear].every(({ all }) => indexOfSound(all(), wanted) !== -1);
      whole = arrived && count('gaps') === gaps;
      // A process that stood still delays sound in the middle of it, and says so; nothing else may change it.
      if (!whole) expect(count('underruns') + count('skipped')).toBeGreaterThan(delays);
    }
  });

  it('paces frames by the clock: a second of sound takes a second, whatever the timers do', async () => {
    const { near } = await connect();
    // Frames that a stall held up are sent after it: at either end of the second so many may be missing.
    const stalls = monitorEventLoopDelay({ resolution: 5 });
    stalls.enable();
    const before = performance.now();
    const sent = near.stats().sent;
    await near.play(new Int16Array(SAMPLE_RATE));
    const frames = near.stats().sent - sent;
    const tookMs = performance.now() - before;
    stalls.disable();
    expect(Math.abs(frames * 20 - tookMs)).toBeLessThan(60 + stalls.max / 1e6);
    expect(frames).toBeGreaterThanOrEqual(49);
  });

  it('carries keys both ways, in order and once each', async () => {
    const { near, far } = await connect();
    const keys = { near: '', far: '' };
    near.onKey((key) => (keys.near += key));
    far.onKey((key) => (keys.far += key));
    await Promise.all([near.press('1#'), far.press('99*')]);
    await until(() => keys.far.length >= 2 && keys.near.length >= 3);
    expect(keys).toEqual({ near: '99*', far: '1#' });
  });

  it('refuses to press what is no key', async () => {
    const { near } = await connect();
    await expect(near.press('12a3x')).rejects.toThrow('keys');
  });

  it('is silenced by mute in either direction, while packets go on', async () => {
    const { near, far } = await connect();
    const heard = collect(far);
    near.mute('send', true);
    await near.play(speechLike());
    near.mute('send', false);
    far.mute('receive', true);
    // Everything that was sent before has arrived when frames sent later have been played.
    await until(() => far.stats().played >= near.stats().sent - 4);
    await near.play(speechLike());
    expect(heard.all().length).toBeGreaterThan(SAMPLE_RATE / 2);
    expect(heard.all().every((sample) => sample === 0)).toBe(true);
    far.mute('receive', false);
    await near.play(speechLike());
    await until(() => heard.all().some((sample) => Math.abs(sample) > 5000));
  });

  it('ends by BYE of the caller', async () => {
    const { near, far } = await connect();
    await near.hangUp();
    expect(await near.ended).toMatchObject({ by: 'local' });
    expect(await far.ended).toMatchObject({ by: 'remote' });
  });

  it('ends by BYE of the callee, and hanging up twice is harmless', async () => {
    const { near, far } = await connect();
    await Promise.all([far.hangUp(), far.hangUp(), near.hangUp()]);
    await far.hangUp();
    expect((await near.ended).status).toBeUndefined();
  });

  it('breaks off what is being played when it ends', async () => {
    const { near, far } = await connect();
    const playing = near.play(new Int16Array(SAMPLE_RATE * 60));
    await far.hangUp();
    await playing;
  });

  it('is put on hold and taken back by re-INVITE', async () => {
    const { near, far } = await connect();
    expect(await near.hold(true)).toBe(200);
    const held = far.stats().sent;
    const before = near.stats().sent;
    await until(() => near.stats().sent > before + 5);
    expect(far.stats().sent).toBeLessThanOrEqual(held + 1);
    expect(await near.hold(false)).toBe(200);
    await until(() => far.stats().sent > held + 5);
  });
});

describe('a call that is not answered', () => {
  it.each([
    ['+12025550103', 403],
    ['+12025550104', 404],
    ['+12025550153', 503],
    ['+12025550160', 600],
    ['+12025550186', 486],
    ['+12025550188', 488],
    ['+12025550107', 407],
    ['+12025550101', 401],
    ['+12025550199', 404],
    ['+4930123456', 404],
  ])('to %s ends with %i', async (to, status) => {
    const [caller, callee] = [await openPhone(), await openPhone()];
    const leg = await caller.call({ to, from: NUMBER, trunkHost: callee.address });
    expect(await refusal(leg)).toBe(status);
    expect(callee.invites({ to })).toHaveLength(1);
  });

  it('to a silent trunk ends with 408 when the transaction times out', async () => {
    const [caller, callee] = [await openPhone({ timing: { t1Ms: 2, t2Ms: 8 } }), await openPhone()];
    const expected = callee.expect({ to: NUMBER }, { kind: 'silent' });
    const leg = await caller.call({ to: NUMBER, from: NUMBER, trunkHost: callee.address });
    expect(await refusal(leg)).toBe(408);
    await expect(leg.play(new Int16Array(10))).rejects.toThrow(UnansweredError);
    expect(callee.invites()).toHaveLength(1);
    await expected;
  });

  it('is cancelled while it rings', async () => {
    const [caller, callee] = [await openPhone(), await openPhone()];
    const expected = callee.expect({ to: NUMBER }, { kind: 'ring' });
    const near = await caller.call({ to: NUMBER, from: NUMBER, trunkHost: callee.address });
    const far = await expected;
    await near.hangUp();
    expect(await near.ended).toMatchObject({ by: 'local', status: 487 });
    expect(await far.ended).toMatchObject({ by: 'remote', status: 487 });
    expect(await refusal(far)).toBe(487);
  });

  it('ends soon where the caller hangs up and the trunk has not said a word', async () => {
    const [caller, callee] = [await openPhone(), await openPhone()];
    const near = await caller.call({
      to: '+12025550187',
      from: NUMBER,
      trunkHost: callee.address,
    });
    await near.hangUp();
    expect((await near.ended).by).toBe('local');
  });

  it('is declined with 603 by a callee who hangs up while it rings', async () => {
    const [caller, callee] = [await openPhone(), await openPhone()];
    const expected = callee.expect({ to: NUMBER }, { kind: 'ring' });
    const near = await caller.call({ to: NUMBER, from: NUMBER, trunkHost: callee.address });
    await (await expected).hangUp();
    expect(await refusal(near)).toBe(603);
  });
});

describe('credentials', () => {
  const account = { username: 'alice', password: 'wonder' };
  const behaviour = { kind: 'answer', afterMs: 0, credentials: account } as const;

  it('are given when they are asked for, and the call counts as one', async () => {
    const [caller, callee] = [await openPhone(), await openPhone()];
    const expected = callee.expect({ to: NUMBER }, behaviour);
    const near = await caller.call({
      to: NUMBER,
      from: NUMBER,
      trunkHost: callee.address,
      credentials: account,
    });
    await near.answered;
    await (
      await expected
    ).answered;
    expect(callee.invites()).toHaveLength(1);
  });

  it('that are wrong are given once', async () => {
    const [caller, callee] = [await openPhone(), await openPhone()];
    const waiting = new AbortController();
    const expected = callee.expect({ to: NUMBER }, behaviour, waiting.signal);
    const near = await caller.call({
      to: NUMBER,
      from: NUMBER,
      trunkHost: callee.address,
      credentials: { ...account, password: 'wrong' },
    });
    expect(await refusal(near)).toBe(407);
    expect(callee.invites()).toHaveLength(1);
    waiting.abort(new Error('enough'));
    await expect(expected).rejects.toThrow('enough');
    expect(callee.open.expectations).toBe(0);
  });
});

/** A peer that speaks SIP by hand, to send what a well-behaved phone never would. */
async function rawPeer(phone: SipPhone) {
  const socket: Socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  cleanups.push(async () => {
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  });
  const [host, port] = phone.address.split(':');
  const received: string[] = [];
  socket.on('message', (datagram) => received.push(datagram.toString()));
  const own = socket.address().port;
  const invite = (options: { branch: string; method?: string; seq?: number; tag?: string }) =>
    [
      `${options.method ?? 'INVITE'} sip:${NUMBER}@${phone.address} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${own};branch=z9hG4bK${options.branch}`,
      'From: <sip:x@127.0.0.1>;tag=raw',
      `To: <sip:${NUMBER}@127.0.0.1>${options.tag ? `;tag=${options.tag}` : ''}`,
      'Call-ID: raw-call',
      `CSeq: ${options.seq ?? 1} ${options.method ?? 'INVITE'}`,
      `Contact: <sip:x@127.0.0.1:${own}>`,
      'Content-Type: application/sdp',
      '',
      (options.method ?? 'INVITE') === 'INVITE'
        ? `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${own} RTP/AVP 0\r\n`
        : '',
    ].join('\r\n');
  return {
    received,
    invite,
    send: (data: string | Buffer) => socket.send(data, Number(port), host),
    count: (start: string) => received.filter((message) => message.startsWith(start)).length,
  };
}

describe('the phone', () => {
  it('answers a repeated INVITE once, repeats its 200 until the ACK comes, and stops then', async () => {
    const phone = await openPhone();
    const peer = await rawPeer(phone);
    const legs: Leg[] = [];
    const expected = phone.expect({ to: NUMBER }, { kind: 'answer', afterMs: 5 });
    void phone.expect({ to: NUMBER }).then(
      (leg) => legs.push(leg),
      () => {},
    );
    for (let index = 0; index < 3; index++) peer.send(peer.invite({ branch: 'same' }));
    const leg = await expected;
    await leg.answered;
    peer.send(peer.invite({ branch: 'same' }));
    await until(() => peer.count('SIP/2.0 200') >= 4);
    const tag = /^To:.*tag=(\w+)/m.exec(
      peer.received.find((message) => message.startsWith('SIP/2.0 200')) ?? '',
    )?.[1];
    expect(legs).toHaveLength(0);
    expect(phone.invites()).toHaveLength(1);
    peer.send(peer.invite({ branch: 'ack', method: 'ACK', tag: tag ?? '' }));
    peer.send(peer.invite({ branch: 'opt', method: 'OPTIONS', seq: 2, tag: tag ?? '' }));
    await until(() => peer.received.some((message) => message.includes('2 OPTIONS')));
    const answers = peer.count('SIP/2.0 200');
    peer.send(peer.invite({ branch: 'bye', method: 'BYE', seq: 3, tag: tag ?? '' }));
    await until(() => peer.received.some((message) => message.includes('3 BYE')));
    expect(peer.count('SIP/2.0 200')).toBe(answers + 1);
    expect(await leg.ended).toMatchObject({ by: 'remote' });
  });

  it('says BYE where its answer is never acknowledged', async () => {
    const phone = await openPhone({ timing: { t1Ms: 2, t2Ms: 8 } });
    const peer = await rawPeer(phone);
    const expected = phone.expect({ to: NUMBER }, { kind: 'answer', afterMs: 0 });
    peer.send(peer.invite({ branch: 'lost' }));
    const leg = await expected;
    await leg.ended;
    await until(() => peer.count('BYE ') > 0);
  });

  it('takes an answer that crosses its CANCEL and hangs up at once', async () => {
    const phone = await openPhone();
    const peer = await rawPeer(phone);
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const seen: string[] = [];
    socket.on('message', (datagram, from) => {
      const request = datagram.toString();
      const method = request.split(' ')[0] ?? '';
      seen.push(method);
      const head = (status: string, extra = '') =>
        [
          `SIP/2.0 ${status}`,
          ...request.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq):/.test(line)),
          `To: <sip:x@127.0.0.1>;tag=far`,
          `Contact: <sip:x@127.0.0.1:${socket.address().port}>`,
          '',
          extra,
        ].join('\r\n');
      const reply = (text: string) => socket.send(text, from.port, from.address);
      if (method === 'INVITE') reply(head('180 Ringing'));
      if (method === 'CANCEL') {
        // The 200 to the INVITE was on its way already.
        const invite = head('200 OK').replace(/CSeq: (\d+) CANCEL/, 'CSeq: $1 INVITE');
        reply(invite);
        reply(head('200 OK'));
      }
      if (method === 'BYE') reply(head('200 OK'));
    });
    cleanups.push(async () => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    });
    const leg = await phone.call({
      to: NUMBER,
      from: NUMBER,
      trunkHost: `127.0.0.1:${socket.address().port}`,
    });
    await until(() => seen.includes('INVITE'));
    await leg.hangUp();
    // On a machine that stood still some of them were repeated.
    expect([...new Set(seen)]).toEqual(['INVITE', 'CANCEL', 'ACK', 'BYE']);
    expect((await leg.ended).by).toBe('local');
    expect(await refusal(leg)).toBeUndefined();
    expect(peer.received).toEqual([]);
  });

  it('survives garbage and goes on with its calls', async () => {
    const { callee, far, near } = await connect();
    const peer = await rawPeer(callee);
    let seed = 7;
    const random = () => (seed = (seed * 16_807) % 2_147_483_647);
    const valid = peer.invite({ branch: 'fuzz' });
    for (let index = 0; index < 2000; index++) {
      const bytes = Buffer.from(index % 3 === 0 ? valid.slice(0, random() % valid.length) : valid);
      for (let hits = 0; hits < 1 + (index % 8); hits++) {
        bytes[random() % (bytes.length || 1)] = random() % 256;
      }
      if (index % 3 === 1) peer.send(Buffer.from(Array.from({ length: 40 }, () => random() % 256)));
      else peer.send(bytes);
      if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => callee.malformed > 500);
    let keys = '';
    far.onKey((key) => (keys += key));
    await near.press('5');
    await until(() => keys === '5');
  });

  it('does not call hosts that it was not allowed to reach', async () => {
    const phone = await openPhone();
    const order = { to: NUMBER, from: NUMBER, trunkHost: '192.0.2.1:5060' };
    await expect(phone.call(order)).rejects.toThrow('may not send');
    expect(phone.open.calls).toBe(0);
  });

  it('hangs up a call that nobody expected', async () => {
    const [caller, callee] = [await openPhone(), await openPhone({ unclaimedMs: 30 })];
    const leg = await caller.call({
      to: '+12025550171',
      from: NUMBER,
      trunkHost: callee.address,
    });
    await leg.answered;
    expect(await leg.ended).toMatchObject({ by: 'remote' });
  });

  it('releases every socket, timer and port when it closes, whatever was going on', async () => {
    // A closed socket is gone from this list one turn of the event loop after its close event.
    const sockets = () => process.getActiveResourcesInfo().filter((name) => /^udp/i.test(name));
    await until(() => sockets().length === 0);
    const [caller, callee] = [await openPhone(), await openPhone()];
    const order = { from: NUMBER, trunkHost: callee.address };
    const answered = await caller.call({ ...order, to: '+12025550171' });
    await answered.answered;
    await caller.call({ ...order, to: '+12025550180' });
    await caller.call({ ...order, to: '+12025550187' });
    await caller.call({ ...order, to: '+12025550186' });
    const expected = callee.expect({ to: NUMBER });
    const closed = expect(expected).rejects.toThrow('closed');
    await until(() => callee.invites().length === 4);
    expect(sockets().length).toBeGreaterThanOrEqual(2 + 2 * 3);
    await Promise.all([caller.close(), callee.close()]);
    await closed;
    const nothing = { calls: 0, transactions: 0, timers: 0, expectations: 0 };
    expect(caller.open).toEqual(nothing);
    expect(callee.open).toEqual(nothing);
    await until(() => sockets().length === 0);
    await expect(caller.call({ ...order, to: NUMBER })).rejects.toThrow('closed');
  });
});
