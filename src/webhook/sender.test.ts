import { eq, sql } from 'drizzle-orm';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { listActions } from '../access/audit.ts';
import { newCallId } from '../call/call-id.ts';
import { databaseMaker, silentLog, type DatabaseMaker } from '../call/ledger/testing.ts';
import { AddressPolicy } from '../platform/address-policy.ts';
import { GuardedHttp } from '../platform/guarded-http.ts';
import { Releases } from '../platform/releases.ts';
import { WorkspaceRows } from '../platform/workspace-rows.ts';
import { Deliveries } from './deliveries.ts';
import { Endpoints } from './endpoints.ts';
import { eraseDeliveries, writeDeliveries } from './outbox.ts';
import type { OutgoingEvent } from './outgoing-event.ts';
import { webhookDeliveries, webhookEndpoints, type EndpointRow } from './schema.ts';
import { WebhookSender, type SenderDeps } from './sender.ts';
import { closeConnection, hang, ok, status, TestReceiver } from './testing.ts';

const ACTOR = { id: 'root', name: 'test' };
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
/** Far fewer attempts in far less time than in earnest. */
const RETRY_MS = Array.from({ length: 40 }, () => 60);
const WAIT = { timeout: 30_000, interval: 20 };

let eventCount = 0;
function event(call: string | undefined, more: Partial<OutgoingEvent> = {}): OutgoingEvent {
  eventCount += 1;
  const id = `evt_test_${eventCount}`;
  const type = more.type ?? 'turn';
  return { id, type, call, payload: { event_id: id, type, id: call ?? null, version: 1 }, ...more };
}

describe.each(['embedded', 'postgres'] as const)('webhooks from the %s database', (kind) => {
  let maker: DatabaseMaker;
  let rows: WorkspaceRows;
  let releases: Releases;
  let http: GuardedHttp;

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    rows = new WorkspaceRows((await maker.open()).db, 'default');
  });
  afterAll(async () => maker.remove());
  beforeEach(async () => {
    releases = new Releases();
    await rows.delete(webhookDeliveries, sql`true`);
    await rows.delete(webhookEndpoints, sql`true`);
    http = new GuardedHttp(new AddressPolicy(['127.0.0.0/8']));
    releases.add('http', async () => http.close());
  });
  afterEach(async () => releases.run());

  const send = (more: Partial<SenderDeps> = {}): WebhookSender => {
    const sender = new WebhookSender({
      rows,
      http,
      callbackSecret: SECRET,
      metrics: { attempted: () => undefined, ended: () => undefined },
      log: silentLog,
      retryMs: RETRY_MS,
      limitMs: 1000,
      ...more,
    });
    sender.start();
    releases.add('sender', async () => sender.stop());
    return sender;
  };
  const receiverOf = async (events: string[] = []) => {
    const receiver = await TestReceiver.start();
    releases.add('receiver', async () => receiver.close());
    const endpoint = await new Endpoints(rows).create(ACTOR, {
      url: receiver.url,
      description: '',
      events,
      enabled: true,
    });
    if (!endpoint) throw new Error('no endpoint');
    return { receiver, endpoint };
  };
  const write = async (events: readonly OutgoingEvent[]) =>
    rows.transaction(async (within) => writeDeliveries(within, events));
  const deliveriesTo = async ({ id }: Pick<EndpointRow, 'id'>) =>
    rows.select(webhookDeliveries, {
      where: eq(webhookDeliveries.receiver, id),
      orderBy: [webhookDeliveries.sequence],
    });
  const statesOf = async (endpoint: EndpointRow) =>
    (await deliveriesTo(endpoint)).map(({ state }) => state);
  const delivered = async (endpoint: EndpointRow, count: number) =>
    vi.waitFor(
      async () =>
        expect(await statesOf(endpoint)).toEqual(Array.from({ length: count }, () => 'delivered')),
      WAIT,
    );

  it.each([
    ['answers 500', status(500)],
    ['hangs', hang],
    ['closes the connection', closeConnection],
    ['redirects', status(302, { location: 'http://127.0.0.1:1/' })],
  ])('arrive in order after the receiver %s for a while', async (_, trouble) => {
    const { receiver, endpoint } = await receiverOf();
    const other = await receiverOf();
    receiver.answer = trouble;
    const [one, two] = [newCallId(), newCallId()];
    const events = [event(one), event(two), event(one), event(one), event(two), event(undefined)];
    await write(events);
    send({ limitMs: 200 });

    // The other one has everything while this one has nothing.
    await delivered(other.endpoint, events.length);
    await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(2), WAIT);
    expect(await statesOf(endpoint)).not.toContain('delivered');

    const before = receiver.received.length;
    receiver.answer = ok;
    await delivered(endpoint, events.length);
    for (const call of [one, two]) {
      const told = receiver.received.slice(before).filter(({ event: { id } }) => id === call);
      const ids = [...new Set(told.map((received) => received.event.event_id))];
      expect(ids).toEqual(events.filter((sent) => sent.call === call).map(({ id }) => id));
    }
  });

  it('come once where a slow receiver answers in time, from two senders', async () => {
    const { receiver, endpoint } = await receiverOf();
    receiver.answer = (received, response) => setTimeout(() => ok(received, response), 20);
    send({ limitMs: 10_000 });
    send({ limitMs: 10_000 });
    const calls = Array.from({ length: 10 }, () => newCallId());
    for (let turn = 0; turn < 4; turn += 1) await write(calls.map((call) => event(call)));
    await delivered(endpoint, 40);
    expect(receiver.received).toHaveLength(40);
    for (const call of calls) {
      const ids = receiver.received.flatMap((one) =>
        one.event.id === call ? one.event.event_id : [],
      );
      const sequence = ids.map((id) => Number(id.split('_').at(-1)));
      expect(sequence).toEqual(sequence.toSorted((a, b) => a - b));
    }
  });

  it('are sent again under the same id where an api died while it sent', async () => {
    const { receiver, endpoint } = await receiverOf();
    await write([event(newCallId())]);
    // Taken, and never heard of again.
    const [row] = await deliveriesTo(endpoint);
    const taken = { attempts: 1, dueAt: new Date(Date.now() + 300) };
    await rows.update(webhookDeliveries, taken, eq(webhookDeliveries.id, row?.id ?? ''));
    send();
    await delivered(endpoint, 1);
    expect(receiver.events).toEqual([row?.eventId]);
    expect((await deliveriesTo(endpoint))[0]?.attempts).toBe(2);
  });

  it('that were on their way at a stop are sent by the next api', async () => {
    const { receiver, endpoint } = await receiverOf();
    receiver.answer = hang;
    await write([event(newCallId())]);
    const first = send({ limitMs: 60_000 });
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), WAIT);
    await first.stop();
    receiver.answer = ok;
    send();
    await delivered(endpoint, 1);
    expect(receiver.events).toHaveLength(1);
    expect((await deliveriesTo(endpoint))[0]?.attempts).toBe(1);
  });

  it('are given up when all attempts failed, with one last attempt for each that waited', async () => {
    const { receiver, endpoint } = await receiverOf();
    receiver.answer = status(503);
    const call = newCallId();
    await write([event(call), event(call), event(call)]);
    send({ retryMs: [10, 10] });
    await vi.waitFor(
      async () => expect(await statesOf(endpoint)).toEqual(['dead', 'dead', 'dead']),
      WAIT,
    );
    expect(receiver.received).toHaveLength(5);
    expect((await deliveriesTo(endpoint))[0]).toMatchObject({
      lastStatus: 503,
      lastError: 'the receiver answered 503',
    });

    receiver.answer = ok;
    const before = receiver.received.length;
    const period = { from: new Date(0), to: new Date(Date.now() + 1000) };
    expect(await new Deliveries(rows).replayPeriod(ACTOR, endpoint.id, period)).toBe(3);
    await delivered(endpoint, 3);
    const ids = receiver.received.slice(before).map((one) => one.event.event_id);
    expect(ids).toEqual((await deliveriesTo(endpoint)).map(({ eventId }) => eventId));
  });

  it('have a day of their own where they were written much later than what is given up', async () => {
    const { receiver, endpoint } = await receiverOf();
    receiver.answer = status(503);
    const call = newCallId();
    const [queued, dialing] = [event(call), event(call)];
    await write([queued, dialing]);
    const dayBefore = { createdAt: new Date(Date.now() - 24 * 3_600_000) };
    await rows.update(webhookDeliveries, dayBefore, eq(webhookDeliveries.eventId, queued.id));
    send({ retryMs: [10, 10] });
    await vi.waitFor(async () => expect(await statesOf(endpoint)).toEqual(['dead', 'dead']), WAIT);
    expect(receiver.received).toHaveLength(6);
  });

  it('stop where the receiver answers 410, and the endpoint says why', async () => {
    const { receiver, endpoint } = await receiverOf();
    receiver.answer = status(410);
    await write([event(newCallId()), event(newCallId())]);
    send();
    await vi.waitFor(async () => expect(await statesOf(endpoint)).toEqual(['dead', 'dead']), WAIT);
    await vi.waitFor(
      async () =>
        expect(await new Endpoints(rows).find(endpoint.id)).toMatchObject({
          enabled: false,
          disabledReason: expect.stringContaining('410'),
        }),
      WAIT,
    );
    expect(await write([event(newCallId())])).toBe(0);
    const [record] = await listActions(rows, { action: 'webhook.disable', limit: 1 });
    expect(record).toMatchObject({ actor: 'system', subject: endpoint.id });
  });

  it('wait as long as the receiver asks', async () => {
    const { receiver, endpoint } = await receiverOf();
    receiver.answer = status(429, { 'retry-after': '1200' });
    await write([event(newCallId())]);
    send();
    await vi.waitFor(async () => {
      const [row] = await deliveriesTo(endpoint);
      expect(row?.lastStatus).toBe(429);
      expect((row?.dueAt.getTime() ?? 0) - Date.now()).toBeGreaterThan(1_000_000);
    }, WAIT);
  });

  it('are signed as Standard Webhooks says, after a change of the secret by both', async () => {
    const { receiver, endpoint } = await receiverOf();
    const renewed = await new Endpoints(rows).rotate(ACTOR, endpoint.id);
    const text = event(newCallId(), { payload: { event_id: 'evt_signed', text: 'Grüße — 你好' } });
    await write([text]);
    send();
    await delivered(endpoint, 1);
    const [received] = receiver.received;
    const headers = received?.headers as Record<string, string>;
    for (const secret of [endpoint.secret, renewed?.secret ?? '']) {
      expect(new Webhook(secret).verify(received?.body ?? '', headers)).toEqual(text.payload);
    }
    expect(() => new Webhook(SECRET).verify(received?.body ?? '', headers)).toThrow();
    expect(headers['webhook-id']).toBe(text.id);
  });

  it('go to the callback of a call, signed with the common secret, once', async () => {
    const receiver = await TestReceiver.start();
    releases.add('receiver', async () => receiver.close());
    receiver.answer = status(500);
    await write([event(newCallId(), { type: 'call.ended', callbackUrl: receiver.url })]);
    send();
    await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(1), WAIT);
    receiver.answer = ok;
    await vi.waitFor(
      async () => expect(await statesOf({ id: 'callback' } as EndpointRow)).toEqual(['delivered']),
      WAIT,
    );
    const last = receiver.received.at(-1);
    const headers = last?.headers as Record<string, string>;
    expect(new Webhook(SECRET).verify(last?.body ?? '', headers)).toMatchObject({
      type: 'call.ended',
    });
  });

  it('are written once for each event, and for whom they concern', async () => {
    const { endpoint } = await receiverOf(['call.ended']);
    const ended = event(newCallId(), { type: 'call.ended' });
    expect(await write([ended, event(newCallId())])).toBe(1);
    expect(await write([ended])).toBe(0);
    expect(await deliveriesTo(endpoint)).toHaveLength(1);
  });

  it('leave nothing of a call that is erased, and what waits is not sent', async () => {
    const { receiver, endpoint } = await receiverOf();
    const call = newCallId();
    const erased = event(call, { callbackUrl: 'http://127.0.0.1/secret' });
    await write([erased, event(newCallId())]);
    await rows.transaction(async (within) => eraseDeliveries(within, call));
    send();
    await vi.waitFor(
      async () => expect(await statesOf(endpoint)).toEqual(['dead', 'delivered']),
      WAIT,
    );
    expect(receiver.received.map((one) => one.event.id)).not.toContain(call);
    const left = await rows.select(webhookDeliveries, {
      where: eq(webhookDeliveries.callId, call),
    });
    expect(left.map(({ payload, url }) => ({ payload, url }))).toEqual([
      { payload: null, url: null },
      { payload: null, url: null },
    ]);
    expect(await new Deliveries(rows).replay(ACTOR, left[0]?.id ?? '')).toBe('erased');
  });
});
