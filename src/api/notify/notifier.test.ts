import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../call/ledger/testing.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { RedisServer } from '../../platform/testing/redis-server.ts';
import { chatChannel } from './chat-channel.ts';
import { Notifier } from './notifier.ts';
import type { Trouble } from './trouble.ts';

const MINUTE = 60_000;
const DOWN: Trouble = {
  key: 'trunk:office',
  what: 'The trunk office is down.',
  remedy: '`bin/sip-management status` tells why.',
  afterMs: MINUTE,
};

let server: RedisServer;
let chat: Server;
let chatUrl: string;
let status: number;
let posted: string[];
let now: number;
let troubles: Trouble[];
let clients: Redis[];
let notifiers: Notifier[];

beforeAll(async () => {
  server = await RedisServer.start();
  chat = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      if (status === 200) posted.push((JSON.parse(text) as { text: string }).text);
      response.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await once(chat, 'listening');
  chatUrl = `http://127.0.0.1:${(chat.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  chat.close();
  await server.remove();
});

beforeEach(async () => {
  [status, posted, now, troubles, clients, notifiers] = [200, [], 1_800_000_000_000, [], [], []];
});
afterEach(async () => {
  for (const notifier of notifiers) await notifier.stop();
  for (const client of clients) {
    if (client.status === 'ready') await client.flushall();
    client.disconnect();
  }
});

/** An impatient client refuses what comes before. */
async function isReady(redis: Redis): Promise<void> {
  await vi.waitFor(() => expect(redis.status).toBe('ready'), { timeout: 30_000 });
}

async function anApi(): Promise<Notifier> {
  const redis = connectRedis(server.url, silentLog, 'impatient');
  clients.push(redis);
  await isReady(redis);
  const notifier = new Notifier({
    channels: [chatChannel(chatUrl)],
    watches: [{ name: 'trunk', look: async () => troubles }],
    redis,
    registry: createMetrics('test'),
    log: silentLog,
    now: () => now,
    host: 'phone-1',
  });
  notifiers.push(notifier);
  return notifier;
}

async function looks(notifier: Notifier, ms: number): Promise<void> {
  for (const end = now + ms; now < end; now += 15_000) await notifier.look();
}

describe('the notifier', () => {
  it('tells what is wrong, since when, and what to do; and when it is over', async () => {
    const api = await anApi();
    await looks(api, 2 * MINUTE);
    troubles = [DOWN];
    await looks(api, 10 * MINUTE);
    troubles = [];
    await looks(api, 10 * MINUTE);
    expect(posted).toHaveLength(2);
    expect(posted[0]).toMatch(/^Trunkline on phone-1: 1 new problem\n/);
    expect(posted[0]).toMatch(/PROBLEM since 2027-01-15 \d\d:\d\d UTC: The trunk office is down\./);
    expect(posted[0]).toContain('What to do: `bin/sip-management status` tells why.');
    expect(posted[1]).toMatch(/^Trunkline on phone-1: 1 problem is over\n/);
    expect(posted[1]).toMatch(/OVER at .* UTC, after 10 min: The trunk office is down\./);
  });

  it('tells it once, though several apis look and one is started again', async () => {
    const [first, second] = [await anApi(), await anApi()];
    troubles = [DOWN];
    for (const end = now + 5 * MINUTE; now < end; now += 15_000) {
      await Promise.all([first.look(), second.look()]);
    }
    expect(posted).toHaveLength(1);
    await first.stop();
    const third = await anApi();
    for (const end = now + 5 * MINUTE; now < end; now += 15_000) {
      await Promise.all([second.look(), third.look()]);
    }
    expect(posted).toHaveLength(1);
  });

  it('gathers what comes at about the same time', async () => {
    const api = await anApi();
    troubles = [DOWN, { ...DOWN, key: 'trunk:berlin', what: 'The trunk berlin is down.' }];
    await looks(api, 2 * MINUTE);
    expect(posted).toHaveLength(1);
    expect(posted[0]).toContain('2 new problems');
    troubles = [...troubles, { ...DOWN, key: 'trunk:rome', what: 'Rome.', afterMs: 0 }];
    await looks(api, MINUTE);
    // Too soon after the first.
    expect(posted).toHaveLength(1);
    await looks(api, 3 * MINUTE);
    expect(posted).toHaveLength(2);
  });

  it('keeps what the chat does not take, across a restart, and says so in its health', async () => {
    const api = await anApi();
    status = 500;
    troubles = [DOWN];
    await looks(api, 5 * MINUTE);
    expect(posted).toEqual([]);
    expect(await api.health()).toMatchObject({ status: 'degraded' });
    await api.stop();
    const next = await anApi();
    status = 200;
    await looks(next, 40 * MINUTE);
    expect(posted).toHaveLength(1);
    expect(posted[0]).toContain(DOWN.what);
    expect(await next.health()).toMatchObject({ status: 'healthy' });
  });

  it('tries every channel for a test, and tells what became of it', async () => {
    const api = await anApi();
    expect(await api.test()).toEqual([{ channel: 'chat', delivered: true, detail: 'sent' }]);
    expect(posted[0]).toContain('this is a test');
    status = 403;
    expect(await api.test()).toEqual([
      { channel: 'chat', delivered: false, detail: 'NOTIFY_WEBHOOK_URL answered HTTP 403' },
    ]);
  });

  it('tells that Redis is away, once, and does not tell again when it is back', async () => {
    const own = await RedisServer.start();
    const redis = connectRedis(own.url, silentLog, 'impatient');
    redis.on('error', () => undefined);
    await isReady(redis);
    const away: Trouble = { ...DOWN, key: 'service:redis', what: 'Redis does not answer.' };
    const notifier = new Notifier({
      channels: [chatChannel(chatUrl)],
      watches: [
        {
          name: 'service',
          look: async () =>
            redis.ping().then(
              () => [],
              () => [away],
            ),
        },
      ],
      redis,
      registry: createMetrics('test'),
      log: silentLog,
      now: () => now,
      host: 'phone-1',
    });
    try {
      await looks(notifier, MINUTE);
      await own.kill();
      await looks(notifier, 10 * MINUTE);
      expect(posted).toHaveLength(1);
      expect(posted[0]).toContain('Redis does not answer.');
      await own.restart();
      await isReady(redis);
      await looks(notifier, 10 * MINUTE);
      expect(posted).toHaveLength(2);
      expect(posted[1]).toContain('is over');
    } finally {
      await notifier.stop();
      redis.disconnect();
      await own.remove();
    }
  });
});
