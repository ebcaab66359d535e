import { createConnection, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { newCallId, type CallId } from '../../call/call-id.ts';
import { EventPublisher } from '../../call/event-stream.ts';
import { fleetKey } from '../../call/heartbeat.ts';
import { databaseMaker, silentLog, type DatabaseMaker } from '../../call/ledger/testing.ts';
import { LivePublisher } from '../../call/live/live-publisher.ts';
import { enterLiveCall } from '../../call/live-calls.ts';
import { liveFields, LIVE_STREAM, trimLive } from '../../call/live/live-stream.ts';
import { writeTrunkState } from '../../trunk/trunk-state.ts';
import { API_KEY, startTestApi, type TestApi } from '../testing.ts';
import {
  refusalOf,
  statusOf,
  watchEvents,
  watchSocket,
  type Watcher,
} from './fixtures/watchers.ts';

const limits = { bytes: 256 * 1024, messages: 500, ms: 60_000 };
const received = {
  from: '+12025550123',
  to: '+12025550110',
  trunk: 'simulator',
  personality: 'receptionist',
  simulated: true,
};
const end = { outcome: 'completed', reason: 'The caller hung up.', hungUpBy: 'caller' } as const;
const said = (text: string) => ({ role: 'caller', text, interrupted: false }) as const;

let databases: DatabaseMaker;
let api: TestApi;
let url: string;
let publisher: EventPublisher;
const watchers: Watcher[] = [];

/** Resolves to the address of its live events when it gives them. */
async function listen(one: TestApi): Promise<string> {
  const address = `${await one.app.listen({ host: '127.0.0.1', port: 0 })}/api/live`;
  const ready = async () => (await watchEvents(address)).close();
  await vi.waitFor(ready, { timeout: 30_000 });
  return address;
}

async function socket(more = '', base = url): Promise<Watcher> {
  const one = await watchSocket(base + more);
  watchers.push(one);
  return one;
}

async function events(more = '', base = url): Promise<Watcher> {
  const one = await watchEvents(base + more);
  watchers.push(one);
  return one;
}

const has =
  (type: string, count = 1) =>
  (messages: readonly { type: string }[]): boolean =>
    messages.filter((message) => message.type === type).length >= count;
const hello = has('hello');

/** A turn for those who watch alone: the ledger would take longer than all the rest. */
async function say(call: CallId, text: string): Promise<void> {
  const at = new Date().toISOString();
  const body = { type: 'conversation_turn', at, call, role: 'caller', text, final: true } as const;
  await api.redis.xadd(LIVE_STREAM, '*', ...liveFields(body));
}

/** A call from its beginning to its end, as processes tell of it. */
async function holdCall(turns: readonly string[]): Promise<CallId> {
  const call = newCallId();
  await publisher.publish('call.received', call, received);
  await publisher.publish('call.answered', call, { personality: 'receptionist', simulated: true });
  for (const text of turns) await publisher.publish('turn', call, said(text));
  await publisher.publish('call.ended', call, end);
  return call;
}

beforeAll(async () => {
  databases = await databaseMaker('embedded');
  const open = async () => databases.open();
  api = await startTestApi(open, silentLog, {}, { liveLimits: limits });
  url = await listen(api);
  publisher = new EventPublisher(api.redis);
});
afterEach(() => {
  for (const one of watchers.splice(0)) one.close();
});
afterAll(async () => {
  await api.close();
  await databases.remove();
});

describe('what goes on', () => {
  it('is told in order, alike over both transports', async () => {
    const both = [await socket(), await events(), await events('/events')];
    for (const one of both) await one.until(hello);
    const call = await holdCall(['Hello.', 'Goodbye.']);
    for (const one of both) {
      const messages = await one.until(has('call_ended'));
      expect(messages.filter((message) => message['call'] === call)).toMatchObject([
        {
          type: 'call_started',
          version: 1,
          direction: 'inbound',
          status: 'ringing',
          from: received.from,
          to: received.to,
          trunk: 'simulator',
          call_id: null,
        },
        { type: 'state', status: 'in_progress' },
        { type: 'conversation_turn', role: 'caller', text: 'Hello.', final: true },
        { type: 'conversation_turn', text: 'Goodbye.', final: true },
        { type: 'call_ended', outcome: 'completed', hung_up_by: 'caller', sip_status: null },
      ]);
    }
    const [first, ...others] = both.map((one) => one.received.filter((m) => m['call'] === call));
    for (const other of others) expect(other).toEqual(first);
  });

  it('begins with how everything is', async () => {
    const call = newCallId();
    const live = { id: call, room: 'room', trunk: 'carrier', direction: 'outbound' } as const;
    await enterLiveCall(api.redis, { ...live, since: Date.now() });
    const facts = { to: '+12025550199', personality: 'receptionist', publicId: 'outbound-1' };
    await publisher.publish('call.dialing', call, { trunk: 'carrier', attempt: 1 }, facts);
    await publisher.publish('call.ringing', call, {});
    new LivePublisher(api.redis).send({
      type: 'state',
      at: new Date().toISOString(),
      call,
      agent: 'speaking',
      caller: 'listening',
    });
    await vi.waitFor(async () => {
      const one = await socket();
      const [first] = await one.until(hello);
      expect(first?.['calls']).toEqual([
        {
          call,
          call_id: 'outbound-1',
          direction: 'outbound',
          status: 'ringing',
          trunk: 'carrier',
          from: null,
          to: '+12025550199',
          personality: 'receptionist',
          started_at: expect.any(String) as string,
          answered_at: null,
          agent: 'speaking',
          caller: 'listening',
        },
      ]);
    });
    await publisher.publish('call.ended', call, end);
  });

  it('tells of a call once that it began and once that it ended, whatever is published twice', async () => {
    const one = await socket();
    await one.until(hello);
    const call = newCallId();
    await publisher.publish('call.dialing', call, { trunk: 'carrier', attempt: 1 });
    await publisher.publish('call.dialing', call, { trunk: 'carrier', attempt: 2 });
    await publisher.publish('call.ended', call, end);
    await publisher.publish('call.ended', call, { ...end, outcome: 'failed' });
    const after = await holdCall([]);
    await one.until((all) => all.some((m) => m['call'] === after && m.type === 'call_ended'));
    const types = one.received.filter((m) => m['call'] === call).map(({ type }) => type);
    expect(types).toEqual(['call_started', 'state', 'call_ended']);
  });

  it('tells of trunks and of the processes that work on calls', async () => {
    const one = await socket('?types=trunk,fleet');
    await one.until(hello);
    const state = { state: 'down', since: Date.now(), reason: 'it does not answer' } as const;
    await writeTrunkState(api.redis, 'carrier', state);
    const beat = () => JSON.stringify({ at: Date.now(), calls: 1, capacity: 8 });
    await api.redis.hset(fleetKey('workers'), 'a-worker', beat());
    await one.until((all) =>
      all.some((m) => m.type === 'trunk' && m['trunk'] === 'carrier' && m['state'] === 'down'),
    );
    const joined = (m: { [field: string]: unknown }) => JSON.stringify(m['workers']) ?? '';
    await one.until((all) => all.some((m) => joined(m).includes('a-worker')));
    await api.redis.hdel(fleetKey('workers'), 'a-worker');
    await one.until((all) => all.at(-1)?.type === 'fleet' && !joined(all.at(-1)!).includes('a-w'));
  });

  it('can be had in part', async () => {
    const mine = newCallId();
    const some = await socket(`?types=conversation_turn&call=${mine}`);
    const all = await socket();
    await Promise.all([some.until(hello), all.until(hello)]);
    await holdCall(['not mine']);
    await publisher.publish('turn', mine, said('mine'));
    const last = await holdCall([]);
    await all.until((list) => list.some((m) => m['call'] === last && m.type === 'call_ended'));
    await some.until(has('conversation_turn'));
    expect(some.received.slice(1)).toMatchObject([{ call: mine, text: 'mine' }]);
  });
});

describe('resuming', () => {
  it('misses nothing and gets nothing twice, on another api, over either transport', async () => {
    const open = async () => databases.open();
    const other = await startTestApi(open, silentLog, {}, { beside: api });
    try {
      const otherUrl = await listen(other);
      const whole = await socket();
      await whole.until(hello);
      let left = await socket();
      await left.until(hello);
      const seen: string[] = [];
      const publish = async () => {
        const call = newCallId();
        for (let n = 0; n < 600; n += 1) await say(call, `${n}`);
      };
      const publishing = publish();
      for (let round = 0; round < 6; round += 1) {
        await left.until((all) => all.length >= 20);
        left.close();
        await left.closed;
        const ids = left.received.filter((m) => m.type === 'conversation_turn').map((m) => m.id);
        seen.push(...ids);
        const at = `?last_event_id=${left.received.at(-1)?.id}`;
        const base = round % 2 === 0 ? otherUrl : url;
        left = round % 3 === 0 ? await socket(at, base) : await events(at, base);
      }
      await publishing;
      const turns = (one: Watcher) =>
        one.received.filter((m) => m.type === 'conversation_turn').map((m) => m.id);
      await whole.until(has('conversation_turn', 600));
      const all = turns(whole);
      await left.until(() => turns(left).at(-1) === all.at(-1));
      expect([...seen, ...turns(left)]).toEqual(all);
    } finally {
      await other.close();
    }
  });

  it('gets more than may wait for a client, as fast as it reads', async () => {
    const one = await socket();
    const [begin] = await one.until(hello);
    const call = newCallId();
    const count = 150;
    for (let n = 0; n < count; n += 1) await say(call, 'z'.repeat(4000));
    await one.until(has('conversation_turn', count));
    for (const watch of [socket, events]) {
      const late = await watch(`?last_event_id=${begin?.id}`);
      await late.until(has('conversation_turn', count));
    }
  });

  it('is told where what was missed is not kept any more, and begins anew', async () => {
    const one = await socket();
    await one.until(hello);
    await holdCall(['long ago']);
    const messages = await one.until(has('call_ended'));
    const early = messages.find(({ type }) => type === 'call_started')?.id;
    const last = messages.at(-1)?.id;
    await trimLive(api.redis, -1000);
    expect(await api.redis.xlen(LIVE_STREAM)).toBe(0);
    for (const lost of [early, '99999999999999-0', '1-1']) {
      const late = await events(`?last_event_id=${lost}`);
      await late.until(hello);
      expect(late.types().slice(0, 2)).toEqual(['gap', 'hello']);
    }
    const exact = await events(`?last_event_id=${last}`);
    const next = await holdCall([]);
    const [first] = await exact.until(has('call_ended'));
    expect(first).toMatchObject({ type: 'call_started', call: next });
  });

  it('goes by the header that a browser sends', async () => {
    const one = await events();
    await one.until(hello);
    const call = await holdCall(['one']);
    const messages = await one.until(has('call_ended'));
    const turn = messages.find(({ type }) => type === 'conversation_turn');
    const again = await watchEvents(`${url}?last_event_id=1-1`, {
      'x-api-key': API_KEY,
      'last-event-id': turn?.id ?? '',
    });
    watchers.push(again);
    await again.until(has('call_ended'));
    expect(again.received[0]).toMatchObject({ type: 'call_ended', call });
  });
});

describe('a client that does not read', () => {
  async function stubborn(path: string, headers: string[]): Promise<Socket> {
    const { hostname, port } = new URL(url);
    const connection = createConnection(Number(port), hostname);
    connection.on('error', () => undefined);
    await once(connection, 'connect');
    connection.pause();
    const lines = [`GET ${path} HTTP/1.1`, 'Host: x', `X-API-Key: ${API_KEY}`, ...headers];
    connection.write(`${lines.join('\r\n')}\r\n\r\n`);
    return connection;
  }
  const upgrade = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];

  it('is let go, holds nobody up, and costs no more than its share', async () => {
    const slow = [await stubborn('/api/live', upgrade), await stubborn('/api/live/events', [])];
    const quick = await socket('?types=conversation_turn');
    await quick.until(hello);
    const figure = async (name: string): Promise<string[]> => {
      const lines = (await api.registry.metrics()).split('\n');
      return lines.filter((line) => line.startsWith(name));
    };
    await vi.waitFor(async () => {
      expect(await figure('trunkline_live_clients')).toContainEqual(
        expect.stringMatching(/transport="sse".* [1-9]/),
      );
    });
    const call = newCallId();
    // The kernel takes some megabytes before anything waits in the process.
    const long = 'x'.repeat(100_000);
    const count = 200;
    for (let n = 0; n < count; n += 1) await say(call, long);
    await quick.until(has('conversation_turn', count));
    await vi.waitFor(
      async () => {
        const overflows = (await figure('trunkline_live_overflows_total')).join('\n');
        expect(overflows).toMatch(/transport="websocket".* [1-9]/);
        expect(overflows).toMatch(/transport="sse".* [1-9]/);
      },
      { timeout: 30_000 },
    );
    for (const one of slow) {
      const tail: Buffer[] = [];
      one.on('data', (chunk: Buffer) => tail.push(chunk));
      one.resume();
      if (!one.closed) await once(one, 'close');
    }
  });

  it('that reads again in time is told why, and what to do', async () => {
    const late = await stubborn('/api/live/events?types=conversation_turn', []);
    const call = newCallId();
    const before = async () => (await api.registry.metrics()).match(/overflows_total.*sse.* (\d+)/);
    const [, base = '0'] = (await before()) ?? [];
    for (let n = 0; Number((await before())?.[1] ?? '0') === Number(base); n += 1) {
      if (n > 3000) throw new Error('it is never let go');
      await say(call, 'y'.repeat(100_000));
    }
    const chunks: Buffer[] = [];
    late.on('data', (chunk: Buffer) => chunks.push(chunk));
    late.resume();
    if (!late.closed) await once(late, 'close');
    const text = Buffer.concat(chunks).toString();
    expect(text).toMatch(/event: overflow\ndata: {.*resume by last_event_id/);
  });
});

describe('who may watch', () => {
  const ticketOf = async (): Promise<string> => {
    const response = await fetch(`${url}/ticket`, {
      method: 'POST',
      headers: { 'x-api-key': API_KEY },
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    return ((await response.json()) as { ticket: string }).ticket;
  };

  it('has a key, by its header', async () => {
    for (const [headers, status] of [
      [{}, 401],
      [{ 'x-api-key': 'wrong' }, 401],
    ] as const) {
      expect(await refusalOf(url, headers)).toBe(status);
      expect(await statusOf(url, headers)).toBe(status);
    }
  });

  it('has a ticket, which is good once', async () => {
    const ticket = await ticketOf();
    const one = await watchSocket(`${url}?ticket=${ticket}`, {});
    watchers.push(one);
    await one.until(hello);
    expect(await refusalOf(`${url}?ticket=${ticket}`)).toBe(401);
    const another = await ticketOf();
    const two = await watchEvents(`${url}/events?ticket=${another}`, {});
    watchers.push(two);
    await two.until(hello);
    expect(await statusOf(`${url}/events?ticket=${another}`)).toBe(401);
    expect(await refusalOf(`${url}?ticket=`)).toBe(401);
  });

  it('has a ticket that is not older than it may be', async () => {
    const ticket = await ticketOf();
    const [key = ''] = await api.redis.keys('trunkline:live-ticket:*');
    expect(key).not.toContain(ticket);
    const left = await api.redis.pttl(key);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(30_000);
    await api.redis.pexpire(key, 0);
    expect(await refusalOf(`${url}?ticket=${ticket}`)).toBe(401);
  });

  it('has a key that is still good', async () => {
    const keys = url.replace(/live$/, 'keys');
    const headers = { 'x-api-key': API_KEY, 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'a dashboard', scopes: ['read'] });
    const created = await fetch(keys, { method: 'POST', headers, body });
    expect(created.status).toBe(201);
    const { id, key } = (await created.json()) as { id: string; key: string };
    const one = await watchSocket(url, { 'x-api-key': key });
    const other = await socket();
    watchers.push(one);
    await Promise.all([one.until(hello), other.until(hello)]);
    await (
      await fetch(`${keys}/${id}`, { method: 'DELETE', headers: { 'x-api-key': API_KEY } })
    ).text();
    await api.live.hub.checkKeys();
    expect(await one.closed).toMatchObject({ code: 1008 });
    const call = await holdCall([]);
    await other.until((all) => all.some((m) => m['call'] === call && m.type === 'call_ended'));
  });

  it('asks for what there is', async () => {
    for (const query of ['types=nothing', 'call=+12025550123', 'last_event_id=x', 'unknown=1']) {
      expect(await refusalOf(`${url}?${query}`, { 'x-api-key': API_KEY }), query).toBe(400);
      expect(await statusOf(`${url}?${query}`, { 'x-api-key': API_KEY }), query).toBe(400);
    }
  });

  it('need not speak HTTP/2 where a client offers it', async () => {
    const { hostname, port } = new URL(url);
    const connection = createConnection(Number(port), hostname);
    const offer =
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
    connection.write(`GET /api/calls HTTP/1.1\r\nHost: x\r\nX-API-Key: ${API_KEY}\r\n${offer}\r\n`);
    const [chunk] = (await once(connection, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1.1 200 /);
    connection.destroy();
  });
});

describe('when something goes', () => {
  it('a new api knows the calls that began before what is kept', async () => {
    const call = newCallId();
    const live = { id: call, room: 'room', trunk: 'simulator', direction: 'inbound' } as const;
    await enterLiveCall(api.redis, { ...live, since: Date.now() });
    await publisher.publish('call.received', call, received);
    await publisher.publish('call.answered', call, {
      personality: 'receptionist',
      simulated: true,
    });
    await vi.waitFor(async () => {
      expect((await api.ledger.find(call))?.call.status).toBe('in_progress');
    });
    await trimLive(api.redis, -1000);
    const open = async () => databases.open();
    const other = await startTestApi(open, silentLog, {}, { beside: api });
    try {
      const one = await socket('', await listen(other));
      const [first] = await one.until(hello);
      expect(first?.['calls']).toMatchObject([{ call, status: 'in_progress', to: received.to }]);
    } finally {
      await other.close();
      await publisher.publish('call.ended', call, end);
    }
  });

  it('the api ends its connections, tells why, and does not hang', async () => {
    const open = async () => databases.open();
    const other = await startTestApi(open, silentLog, {}, { beside: api });
    const otherUrl = await listen(other);
    const [one, two] = [await socket('', otherUrl), await events('', otherUrl)];
    await Promise.all([one.until(hello), two.until(hello)]);
    const { hostname, port } = new URL(otherUrl);
    const silent = createConnection(Number(port), hostname);
    await once(silent, 'connect');
    await other.close();
    expect(await one.closed).toMatchObject({ code: 1001 });
    silent.destroy();
    expect(await two.closed).toEqual({ code: 0, reason: 'shutdown' });
  });

  it('Redis comes back, and nothing was lost', async () => {
    const one = await socket();
    await one.until(hello);
    await api.server.kill();
    const waiting = holdCall(['while it was away']);
    await api.server.restart();
    const call = await waiting;
    await one.until((all) => all.some((m) => m.type === 'call_ended' && m['call'] === call));
    const texts = one.received.filter((m) => m['call'] === call).map((m) => m['text']);
    expect(texts).toContain('while it was away');
  });
});
