import { createHmac } from 'node:crypto';
import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import { callEvent } from '../../call/call-event.ts';
import { newCallId, type CallId } from '../../call/call-id.ts';
import { EventPublisher } from '../../call/event-stream.ts';
import { databaseMaker, type DatabaseMaker } from '../../call/ledger/testing.ts';
import { publishTrunkEvent } from '../../call/trunk-entries.ts';
import { Releases } from '../../platform/releases.ts';
import { trunkEvent } from '../../trunk/trunk-event.ts';
import { status, TestReceiver } from '../../webhook/testing.ts';
import { API_KEY, startTestApi, type TestApi } from '../testing.ts';
import { webhookEvents, webhookEventTypes } from './event-types.ts';

const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const WAIT = { timeout: 30_000, interval: 20 };
const TO = '+12025550123';

type Json = Record<string, unknown>;

describe.each(['embedded', 'postgres'] as const)(
  'webhooks of the API on the %s database',
  (kind) => {
    let api: TestApi;
    let maker: DatabaseMaker;
    let publisher: EventPublisher;
    let releases = new Releases();

    beforeAll(async () => {
      maker = await databaseMaker(kind);
      api = await startTestApi(async () => maker.open(), undefined, {
        WEBHOOK_SECRET: SECRET,
        WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      });
      publisher = new EventPublisher(api.redis);
    });
    afterAll(async () => {
      await api.close();
      await maker.remove();
    });
    afterEach(async () => {
      await releases.run();
      releases = new Releases();
    });

    const ask = async (options: InjectOptions, key = API_KEY): Promise<Response> =>
      api.app.inject({ ...options, headers: { 'x-api-key': key, ...options.headers } });
    const post = async (url: string, payload?: Json): Promise<Response> =>
      ask({ method: 'POST', url, ...(payload ? { payload } : {}) });
    const get = async (url: string, key?: string): Promise<Json> =>
      (await ask({ method: 'GET', url }, key)).json<Json>();

    const receiverOf = async (more: Json = {}) => {
      const receiver = await TestReceiver.start();
      const response = await post('/api/webhooks', { url: receiver.url, ...more });
      expect(response.statusCode).toBe(201);
      const endpoint = response.json<{ id: string; secret: string }>();
      releases.add('receiver', async () => receiver.close());
      releases.add('endpoint', async () =>
        ask({ method: 'DELETE', url: `/api/webhooks/${endpoint.id}` }),
      );
      return { receiver, endpoint };
    };
    const received = async (receiver: TestReceiver, count: number) =>
      vi.waitFor(() => expect(receiver.events).toHaveLength(count), WAIT);
    const deliveriesTo = async (id: string, query = '') =>
      (await get(`/api/webhooks/deliveries?endpoint=${id}${query}`))['deliveries'] as Json[];

    it('tell of a call from its order to its transcript, in order, as described', async () => {
      const { receiver, endpoint } = await receiverOf();
      const callback = await TestReceiver.start();
      releases.add('callback', async () => callback.close());
      const order = await post('/api/outbound-call', {
        to_number: TO,
        metadata: { crm: 7 },
        variables: { name: 'Ada' },
        callback_url: callback.url,
      });
      expect(order.statusCode).toBe(200);
      const call = order.headers['x-call-id'] as CallId;
      await received(receiver, 1);
      await publisher.publish('call.dialing', call, { trunk: 'carrier', attempt: 1 });
      await publisher.publish('call.ringing', call, {});
      await publisher.publish('call.answered', call, {
        personality: 'receptionist',
        simulated: true,
      });
      const latency = { total: 900, llmFirstToken: 300 };
      const said = { role: 'agent' as const, text: 'Hello.', interrupted: false, latency };
      await publisher.publish('turn', call, said);
      await publisher.publish('call.dtmf', call, { direction: 'received', count: 2 });
      await publisher.publish('call.transfer', call, { state: 'started', by: 'agent' });
      const end = { outcome: 'completed', reason: 'Bye.', hungUpBy: 'callee' } as const;
      await publisher.publish('call.ended', call, end);
      await publisher.publish('call.usage', call, { usage: [] });
      await publisher.publish('call.ended', call, { ...end, outcome: 'failed' });
      const file = 'a.ogg';
      await publisher.publish('call.recorded', call, { file, durationMs: 5, bytes: 9 });
      await received(receiver, 10);

      const events = receiver.received.map(({ event }) => event);
      expect(events.map(({ type }) => type)).toEqual([
        'call.queued',
        'call.dialing',
        'call.ringing',
        'call.answered',
        'turn',
        'call.dtmf',
        'call.transfer',
        'call.ended',
        'transcript.ready',
        'call.recorded',
      ]);
      for (const event of events) {
        const { schema } = webhookEvents[event.type as keyof typeof webhookEvents];
        expect((schema as z.ZodObject).strict().parse(event)).toEqual(event);
      }
      expect(events[0]).toMatchObject({
        status: 'queued',
        to: TO,
        metadata: { crm: 7 },
        version: 1,
      });
      expect(events[4]).toMatchObject({ text: 'Hello.', latency: { total: 900 }, turns: 1 });
      expect(events[7]).toMatchObject({ outcome: 'completed', hung_up_by: 'callee', id: call });
      expect(events[8]).toMatchObject({ transcript: expect.stringContaining('Agent: Hello.') });

      await received(callback, 1);
      const [ended] = callback.received;
      expect(ended?.event.type).toBe('call.ended');
      const headers = ended?.headers as Record<string, string>;
      expect(new Webhook(SECRET).verify(ended?.body ?? '', headers)).toEqual(events[7]);

      // What is gone is gone here, too.
      await vi.waitFor(
        async () => expect(await deliveriesTo(endpoint.id, '&state=pending')).toEqual([]),
        WAIT,
      );
      expect((await ask({ method: 'DELETE', url: `/api/calls/${call}` })).statusCode).toBe(204);
      const [kept] = await deliveriesTo(endpoint.id, `&call=${call}&type=turn`);
      const url = `/api/webhooks/deliveries/${String(kept?.['id'])}`;
      expect(await get(url)).toMatchObject({ payload: null, state: 'delivered' });
      expect((await post(`${url}/replay`)).statusCode).toBe(410);
    });

    it('tell again of a transcript of which more came late', async () => {
      const { receiver } = await receiverOf({ events: ['transcript.ready'] });
      const call = newCallId();
      const turn = (text: string) =>
        callEvent('turn', call, { role: 'caller', text, interrupted: false });
      await publisher.send(turn('one'));
      await publisher.publish('call.ended', call, {
        outcome: 'completed',
        reason: 'Bye.',
        hungUpBy: 'caller',
      });
      await received(receiver, 1);
      await publisher.send(turn('two'));
      await received(receiver, 2);
      expect(receiver.received.at(-1)?.event['transcript_turns']).toHaveLength(2);
    });

    it('tell of trunks, also where the event comes twice', async () => {
      const { receiver, endpoint } = await receiverOf({ events: ['trunk.down', 'trunk.up'] });
      const down = trunkEvent('down', { trunk: 'carrier', before: 'up', reason: 'No answer.' });
      await publishTrunkEvent(api.redis, down);
      await publishTrunkEvent(api.redis, down);
      await publishTrunkEvent(
        api.redis,
        trunkEvent('up', { trunk: 'carrier', reason: 'Answers.' }),
      );
      await received(receiver, 2);
      const [first] = receiver.received;
      expect(webhookEvents['trunk.down'].schema.strict().parse(first?.event)).toMatchObject({
        trunk: 'carrier',
        previous_state: 'up',
      });
      expect(await deliveriesTo(endpoint.id)).toHaveLength(2);
    });

    it('refuse private addresses, and say how to permit them', async () => {
      for (const url of [
        'http://10.0.0.1/',
        'http://169.254.169.254/latest',
        'http://[::1]:5678/',
      ]) {
        const response = await post('/api/webhooks', { url });
        expect(response.statusCode).toBe(400);
        expect(response.json()).toMatchObject({
          detail: expect.stringContaining('WEBHOOK_ALLOWED_NETWORKS'),
          errors: [{ field: 'url' }],
        });
      }
      for (const url of ['ftp://example.com', 'http://user:pass@example.com/', 'example.com', '']) {
        expect((await post('/api/webhooks', { url })).statusCode).toBe(400);
      }
      expect(
        (await post('/api/webhooks', { url: 'http://a.example', events: ['no'] })).statusCode,
      ).toBe(400);
    });

    it('are changed with the scope manage only, and each change is on record', async () => {
      const { receiver, endpoint } = await receiverOf();
      const url = `/api/webhooks/${endpoint.id}`;
      const { key } = (await post('/api/keys', { name: 'eye', scopes: ['read'] })).json<{
        key: string;
      }>();
      const seen = await get(url, key);
      expect(JSON.stringify(seen)).not.toMatch(/t0ken|whsec/);
      expect(await get(url)).toMatchObject({ url: receiver.url, enabled: true });
      const forbidden = await ask({ method: 'PATCH', url, payload: { enabled: false } }, key);
      expect(forbidden.statusCode).toBe(403);

      const change = { enabled: false, description: 'n8n', events: ['call.ended'] };
      const changed = await ask({ method: 'PATCH', url, payload: change });
      expect(changed.json()).toMatchObject(change);
      const renewed = await post(`${url}/secret`);
      expect(renewed.json<{ secret: string; secrets: number }>()).toMatchObject({ secrets: 2 });
      expect(renewed.json<{ secret: string }>().secret).not.toBe(endpoint.secret);
      const listed = JSON.stringify(await get('/api/webhooks'));
      expect(listed).toContain(endpoint.id);
      expect(listed).not.toContain('whsec_');
      expect((await ask({ method: 'DELETE', url })).statusCode).toBe(204);
      expect((await ask({ method: 'DELETE', url })).statusCode).toBe(404);
      const audit = (await get(`/api/audit?subject=${endpoint.id}`))['records'] as Json[];
      expect(audit.map(({ action }) => action)).toEqual([
        'webhook.delete',
        'webhook.rotate',
        'webhook.change',
        'webhook.create',
      ]);
      expect(JSON.stringify(audit)).not.toMatch(/t0ken|whsec/);
    });

    it('are tried by the test button, which tells what is wrong', async () => {
      const { receiver, endpoint } = await receiverOf({ events: ['call.ended'], enabled: false });
      const test = async () => (await post(`/api/webhooks/${endpoint.id}/test`)).json<Json>();
      expect(await test()).toMatchObject({ delivered: true, status: 200, error: null });
      const [sent] = receiver.received;
      const headers = sent?.headers as Record<string, string>;
      expect(new Webhook(endpoint.secret).verify(sent?.body ?? '', headers)).toMatchObject({
        type: 'webhook.test',
        endpoint: endpoint.id,
      });
      receiver.answer = status(404);
      expect(await test()).toMatchObject({
        delivered: false,
        status: 404,
        error: 'the receiver answered 404',
      });
      expect((await deliveriesTo(endpoint.id)).map(({ state }) => state)).toEqual([
        'dead',
        'delivered',
      ]);
    });

    it('are sent again, one or all of a period, to an endpoint that is enabled', async () => {
      const { receiver, endpoint } = await receiverOf({ events: ['turn'] });
      const call = newCallId();
      for (const text of ['one', 'two', 'three']) {
        await publisher.publish('turn', call, { role: 'caller', text, interrupted: false });
      }
      const done = async (count: number) =>
        vi.waitFor(async () => {
          expect(receiver.received).toHaveLength(count);
          const states = (await deliveriesTo(endpoint.id)).map(({ state }) => state);
          expect(states).toEqual(['delivered', 'delivered', 'delivered']);
        }, WAIT);
      await done(3);
      const [page] = await deliveriesTo(endpoint.id, '&limit=1');
      const replayOne = `/api/webhooks/deliveries/${String(page?.['id'])}/replay`;
      expect((await post(replayOne)).statusCode).toBe(202);
      await done(4);
      const period = { from: '0000-01-01T00:00:00Z', to: '9999-12-31T23:59:59-23:59' };
      const all = await post(`/api/webhooks/${endpoint.id}/replay`, period);
      expect(all.json()).toEqual({ replayed: 3 });
      await done(7);
      expect(receiver.received.slice(4).map(({ event }) => event['text'])).toEqual([
        'one',
        'two',
        'three',
      ]);
      const backwards = { from: period.to, to: period.from };
      expect((await post(`/api/webhooks/${endpoint.id}/replay`, backwards)).statusCode).toBe(400);
      await ask({
        method: 'PATCH',
        url: `/api/webhooks/${endpoint.id}`,
        payload: { enabled: false },
      });
      expect((await post(replayOne)).statusCode).toBe(409);
    });

    it('are listed in pages that new ones do not shift', async () => {
      const { receiver, endpoint } = await receiverOf({ events: ['turn'] });
      const call = newCallId();
      const turn = async () =>
        publisher.publish('turn', call, { role: 'caller', text: 'x', interrupted: false });
      for (let count = 0; count < 5; count += 1) await turn();
      await received(receiver, 5);
      const url = `/api/webhooks/deliveries?endpoint=${endpoint.id}&limit=2`;
      const seen: unknown[] = [];
      for (let cursor = ''; ;) {
        const page = await get(`${url}${cursor}`);
        seen.push(...(page['deliveries'] as Json[]).map(({ id }) => id));
        if (typeof page['next_cursor'] !== 'string') break;
        cursor = `&cursor=${page['next_cursor']}`;
        await turn();
      }
      expect(new Set(seen).size).toBe(5);
    });

    describe('that come in', () => {
      const hook = async (body: Json, headers: Record<string, string> = {}, query = '') =>
        api.app.inject({
          method: 'POST',
          url: `/api/webhook${query}`,
          headers: { 'content-type': 'application/json', ...headers },
          payload: JSON.stringify(body),
        });
      const keyed = { 'x-api-key': API_KEY };
      const order = { type: 'outbound_call', to_number: TO, personality: 'receptionist' };
      const signed = (body: Json, id: string) => {
        const at = new Date();
        return {
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
          'webhook-signature': new Webhook(SECRET).sign(id, at, JSON.stringify(body)),
        };
      };

      it('answer a ping, and a type that there is not with the list', async () => {
        const pong = await hook({ type: 'ping' }, keyed);
        expect([pong.statusCode, pong.json()]).toMatchObject([200, { type: 'pong' }]);
        const unknown = await hook({ type: 'call.dance' }, keyed);
        expect(unknown.statusCode).toBe(422);
        expect(unknown.json()).toMatchObject({ types: ['ping', 'outbound_call', 'call.hangup'] });
        expect((await hook({}, keyed)).statusCode).toBe(400);
        expect((await hook({ type: 'ping', more: 1 }, keyed)).statusCode).toBe(400);
      });

      it('place a call, once where the signed request comes again', async () => {
        expect((await hook(order, keyed)).json()).toMatchObject({ status: 'queued' });
        const headers = signed(order, `msg_${kind}`);
        const first = await hook(order, headers);
        expect(first.statusCode).toBe(200);
        const again = await hook(order, headers);
        expect(again.headers['x-call-id']).toBe(first.headers['x-call-id']);
        const altered = await hook({ ...order, to_number: '+12025550124' }, headers);
        expect(altered.statusCode).toBe(401);
      });

      it('take a signature in the query, or over a body that has the time', async () => {
        const hmac = (text: string) => createHmac('sha256', SECRET).update(text).digest('hex');
        const t = Math.floor(Date.now() / 1000);
        const query = `?t=${t}&v1=${hmac(`${t}.${JSON.stringify(order)}`)}`;
        const inQuery = await hook(order, {}, query);
        expect(inQuery.statusCode).toBe(200);
        expect((await hook(order, {}, query)).headers['x-call-id']).toBe(
          inQuery.headers['x-call-id'],
        );
        const timed = { ...order, timestamp: t };
        const header = { 'x-signature': `sha256=${hmac(JSON.stringify(timed))}` };
        expect((await hook(timed, header)).statusCode).toBe(200);
        expect((await hook({ ...timed, timestamp: t + 1 }, header)).statusCode).toBe(401);
      });

      it('are refused without a key or with a wrong one, whatever else they bring', async () => {
        expect((await hook({ type: 'ping' })).statusCode).toBe(401);
        const good = signed({ type: 'ping' }, 'msg_ping');
        expect((await hook({ type: 'ping' }, good)).statusCode).toBe(200);
        const wrongKey = await hook({ type: 'ping' }, { ...good, 'x-api-key': 'wrong-key' });
        expect(wrongKey.statusCode).toBe(401);
        const { key } = (await post('/api/keys', { name: 'eye', scopes: ['read'] })).json<{
          key: string;
        }>();
        expect((await hook(order, { 'x-api-key': key })).statusCode).toBe(403);
      });

      it('end a call', async () => {
        const placed = await hook(order, keyed);
        const call = placed.headers['x-call-id'];
        const ended = await hook({ type: 'call.hangup', call }, keyed);
        expect([200, 202]).toContain(ended.statusCode);
        await vi.waitFor(
          async () =>
            expect(await get(`/api/calls/${String(call)}`)).toMatchObject({ status: 'ended' }),
          WAIT,
        );
        const nobody = await hook({ type: 'call.hangup', call: newCallId() }, keyed);
        expect(nobody.statusCode).toBe(404);
      });
    });

    it('are described for each type in the OpenAPI document', async () => {
      const document = (await api.app.inject('/openapi.json')).json<{ webhooks: Json }>();
      expect(Object.keys(document.webhooks)).toEqual(webhookEventTypes);
    });

    it('have figures', async () => {
      const metrics = (await api.app.inject('/metrics')).body;
      for (const name of ['lag_seconds', 'deliveries{', 'deliveries_total{', 'attempt_duration']) {
        expect(metrics).toContain(`trunkline_webhook_${name}`);
      }
    });
  },
);
