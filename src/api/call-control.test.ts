import type { LightMyRequestResponse as Response } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallCommand, CommandAnswer } from '../call/call-command.ts';
import { cancelRequested } from '../call/cancel-request.ts';
import { newCallId, type CallId } from '../call/call-id.ts';
import { CommandListener } from '../call/command-listener.ts';
import { readFence, takeFence } from '../call/dial-fence.ts';
import { EventPublisher } from '../call/event-stream.ts';
import { enterLiveCall, getLiveCall } from '../call/live-calls.ts';
import type { CallRow } from '../call/ledger/schema.ts';
import { databaseMaker, silentLog, writeCall, type DatabaseMaker } from '../call/ledger/testing.ts';
import { CANCELED, ENDED_BY_OPERATOR } from '../call/operator-ends.ts';
import { connectRedis } from '../platform/redis.ts';
import { endCall } from '../call/call-end.ts';
import { CallControl } from './call-control.ts';
import { API_KEY, startTestApi, type TestApi } from './testing.ts';

const TO = '+12025550123';
const TARGET = '+12025550142';
const KEY = { 'idempotency-key': 'once' };

describe.each(['embedded', 'postgres'] as const)('controlling calls on %s', (kind) => {
  let api: TestApi;
  let maker: DatabaseMaker;
  let agents: CommandListener;

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    api = await startTestApi(async () => maker.open());
    const connect = () => connectRedis(api.server.url, silentLog, 'patient');
    agents = new CommandListener({ redis: api.redis, connect, log: silentLog });
  });
  afterAll(async () => {
    agents.close();
    await api.close();
    await maker.remove();
  });

  const tell = async (
    id: string,
    what: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    api.app.inject({
      method: 'POST',
      url: `/api/calls/${encodeURIComponent(id)}/${what}`,
      headers: { 'x-api-key': API_KEY, ...headers },
      ...(body ? { payload: body } : {}),
    });
  const place = async (more: object = {}): Promise<{ id: CallId; publicId: string }> => {
    const response = await api.app.inject({
      method: 'POST',
      url: '/api/outbound-call',
      headers: { 'x-api-key': API_KEY },
      payload: { to_number: TO, ...more },
    });
    return {
      id: response.headers['x-call-id'] as CallId,
      publicId: response.json<{ call_id: string }>().call_id,
    };
  };
  const write = async (call: Partial<CallRow>) =>
    writeCall(api.database.db, { trunk: 'simulator', ...call });
  const inQueue = async (id: CallId) => api.redis.exists(`bull:outbound-calls:${id}`);
  const dialling = async (id: CallId) =>
    takeFence(api.redis, id, { attempt: 'a', trunk: 'simulator', at: Date.now(), ringMs: 45_000 });
  const problemOf = (response: Response) => {
    const { status, type } = response.json<{ status: number; type: string }>();
    expect(response.statusCode).toBe(status);
    return [status, type.split(':').at(-1)];
  };

  /** An agent that does what it is asked. */
  const agentOf = (id: CallId, answer: CommandAnswer = { state: 'done' }) => {
    const asked: CallCommand[] = [];
    agents.listen(id, async (command) => {
      asked.push(command);
      if (command.kind === 'hangup' && answer.state === 'done') {
        const events = new EventPublisher(api.redis);
        await events.publish('call.ended', id, ENDED_BY_OPERATOR);
      }
      return answer;
    });
    return asked;
  };

  describe('cancel', () => {
    it('ends a call that is scheduled for later now, and takes it out of the queue', async () => {
      const schedule_at = new Date(Date.now() + 86_400_000).toISOString();
      const { id, publicId } = await place({ schedule_at });
      expect(await inQueue(id)).toBe(1);
      const response = await tell(publicId, 'cancel');
      expect(response.statusCode).toBe(200);
      expect(response.json()).toMatchObject({ id, status: 'ended', outcome: 'canceled' });
      expect(await inQueue(id)).toBe(0);
      expect(await readFence(api.redis, id)).toMatchObject({ state: 'ended' });
    });

    it('leaves a mark that outlasts the time of the call, for a job that comes back', async () => {
      const days = (count: number) => count * 86_400_000;
      const schedule_at = new Date(Date.now() + days(7)).toISOString();
      const { id } = await place({ schedule_at });
      await tell(id, 'cancel');
      expect(await api.redis.pttl(`trunkline:cancel:${id}`)).toBeGreaterThan(days(7));
    });

    it('ends a call that the queue has lost, which the reconciler then leaves alone', async () => {
      const id = await write({ status: 'queued', to: TO });
      expect((await tell(id, 'cancel')).json()).toMatchObject({ outcome: 'canceled' });
      await api.reconciler.run();
      expect(await inQueue(id)).toBe(0);
      expect(await dialling(id)).toBe(false);
    });

    it('repeated, and by many at once, has one end', async () => {
      const { id } = await place();
      const responses = await Promise.all([1, 2, 3].map(async () => tell(id, 'cancel')));
      responses.push(await tell(id, 'cancel'));
      expect(responses.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
      const record = await api.ledger.find(id);
      expect(record?.timeline.filter(({ type }) => type === 'call.ended')).toHaveLength(1);
    });

    it('leaves a call that rings to its dispatcher', async () => {
      const id = await write({ status: 'ringing' });
      await dialling(id);
      const canceling = tell(id, 'cancel');
      await expect.poll(async () => cancelRequested(api.redis, id)).toBe(true);
      const rooms = { close: async () => undefined };
      const end = { redis: api.redis, events: new EventPublisher(api.redis), rooms };
      await endCall(end, id, CANCELED, { attempt: 'a' });
      expect((await canceling).json()).toMatchObject({ status: 'ended', outcome: 'canceled' });
      expect(api.endedRooms).not.toContain(id);
    });

    it('ends a call that rings itself where no dispatcher lives', async () => {
      const id = await write({ status: 'ringing' });
      await dialling(id);
      const call = { id, room: id, trunk: 'simulator', direction: 'outbound', since: 0 } as const;
      await enterLiveCall(api.redis, call);
      expect((await tell(id, 'cancel')).json()).toMatchObject({ outcome: 'canceled' });
      expect(api.endedRooms).toContain(id);
      expect(await getLiveCall(api.redis, id)).toBeUndefined();
    });

    it('is refused where the answer came first', async () => {
      const id = await write({ status: 'ringing' });
      await dialling(id);
      const canceling = tell(id, 'cancel');
      const answered = { personality: 'receptionist', simulated: true };
      await new EventPublisher(api.redis).publish('call.answered', id, answered);
      expect(problemOf(await canceling)).toEqual([409, 'not-cancelable']);
      expect((await api.ledger.stateOf(id))?.status).toBe('in_progress');
    });

    it('is refused for a call that is answered, has ended, or came in', async () => {
      const answered = await write({ status: 'in_progress' });
      const ended = await write({ status: 'ended', outcome: 'busy' });
      const inbound = await write({ direction: 'inbound', status: 'ringing' });
      expect(problemOf(await tell(answered, 'cancel'))).toEqual([409, 'not-cancelable']);
      expect(problemOf(await tell(ended, 'cancel'))).toEqual([409, 'call-over']);
      expect(problemOf(await tell(inbound, 'cancel'))).toEqual([409, 'not-cancelable']);
    });
  });

  describe('hangup', () => {
    it('asks the agent, and is done once however often it comes', async () => {
      const id = await write({ status: 'in_progress' });
      const asked = agentOf(id);
      const response = await tell(id, 'hangup', { say: ' Goodbye. ' });
      expect(response.json()).toMatchObject({
        status: 'ended',
        outcome: 'completed',
        reason: 'The call was ended by an operator.',
        hung_up_by: 'operator',
      });
      expect((await tell(id, 'hangup')).statusCode).toBe(200);
      expect(asked).toEqual([{ kind: 'hangup', say: 'Goodbye.' }]);
    });

    it.each(['inbound', 'outbound'] as const)(
      'ends an %s call whose agent is gone',
      async (direction) => {
        const answeredAt = new Date();
        const id = await write({ direction, status: 'in_progress', answeredAt });
        const room = direction === 'inbound' ? `room of ${id}` : id;
        await enterLiveCall(api.redis, { id, room, trunk: 'simulator', direction, since: 0 });
        const response = await tell(id, 'hangup');
        expect(response.json()).toMatchObject({ outcome: 'completed', hung_up_by: 'operator' });
        expect(api.endedRooms).toContain(room);
        expect(await getLiveCall(api.redis, id)).toBeUndefined();
      },
    );

    it('cancels a call that waits, and refuses a caller whom nobody answers', async () => {
      const { id } = await place();
      expect((await tell(id, 'hangup')).json()).toMatchObject({ outcome: 'canceled' });
      const inbound = await write({ direction: 'inbound', status: 'ringing' });
      expect((await tell(inbound, 'hangup')).json()).toMatchObject({ outcome: 'canceled' });
    });

    it('stands where LiveKit is away, and leaves the room to the watchdog', async () => {
      const id = await write({ status: 'in_progress', answeredAt: new Date() });
      const call = { id, room: id, trunk: 'simulator', direction: 'outbound', since: 0 } as const;
      await enterLiveCall(api.redis, call);
      const { ledger, queue, redis } = api;
      const rooms = { deleteRoom: async () => Promise.reject(new Error('fetch failed')) };
      const control = new CallControl({ ledger, queue, redis, rooms, trunks: [], log: silentLog });
      await expect(control.hangup(id)).rejects.toMatchObject({ problem: { status: 503 } });
      await expect.poll(async () => (await ledger.stateOf(id))?.hungUpBy).toBe('operator');
      expect(await getLiveCall(redis, id)).toBeDefined();
    });

    it('is refused for a call that ended otherwise', async () => {
      const id = await write({ status: 'ended', outcome: 'completed', hungUpBy: 'callee' });
      expect(problemOf(await tell(id, 'hangup'))).toEqual([409, 'call-over']);
    });
  });

  describe('dtmf and transfer', () => {
    it('reach the agent once with one Idempotency-Key, also after the call is over', async () => {
      const id = await write({ status: 'in_progress' });
      const asked = agentOf(id);
      for (let times = 0; times < 2; times += 1) {
        const response = await tell(id, 'transfer', { to: TARGET }, KEY);
        expect([response.statusCode, response.json()]).toEqual([200, { status: 'done' }]);
        await tell(id, 'hangup');
      }
      expect(asked).toEqual([{ kind: 'transfer', to: `tel:${TARGET}` }, { kind: 'hangup' }]);
      const other = await tell(id, 'transfer', { to: '+12025550143' }, KEY);
      expect(problemOf(other)).toEqual([422, 'idempotency-key-reused']);
    });

    it('without a key are two wishes', async () => {
      const id = await write({ status: 'in_progress' });
      const asked = agentOf(id);
      await tell(id, 'dtmf', { digits: '1w#' });
      await tell(id, 'dtmf', { digits: '1w#' });
      expect(asked).toEqual([
        { kind: 'dtmf', digits: '1w#' },
        { kind: 'dtmf', digits: '1w#' },
      ]);
    });

    it('leave neither digits nor targets in Redis', async () => {
      const id = await write({ status: 'in_progress' });
      agentOf(id);
      await tell(id, 'dtmf', { digits: '43218765' }, KEY);
      const keys = await api.redis.keys(`trunkline:command:${id}:*`);
      const held = await Promise.all(keys.map(async (key) => api.redis.hgetall(key)));
      expect(held).toHaveLength(1);
      expect(JSON.stringify([keys, held])).not.toMatch(/43218765|once/);
    });

    it.each([
      [{ cause: 'far_end', sipStatus: 603 }, 409, 'far-end-refused'],
      [{ cause: 'busy' }, 409, 'agent-busy'],
      [{ cause: 'not_answered' }, 409, 'not-answered'],
      [{ cause: 'call_over' }, 409, 'call-over'],
      [{ cause: 'failed' }, 500, 'internal'],
    ] as const)('tell why the agent refused: %o', async (refusal, status, type) => {
      const id = await write({ status: 'in_progress' });
      agentOf(id, { state: 'refused', reason: 'It cannot be.', ...refusal });
      const response = await tell(id, 'transfer', { to: TARGET });
      expect(problemOf(response)).toEqual([status, type]);
      expect(response.json()).toMatchObject({
        detail: 'It cannot be.',
        ...('sipStatus' in refusal ? { sip_status: refusal.sipStatus } : {}),
      });
    });

    it('say so where no agent is there, and are not made up for later', async () => {
      const id = await write({ status: 'in_progress' });
      expect(problemOf(await tell(id, 'dtmf', { digits: '1' }, KEY))).toEqual([409, 'no-agent']);
      const asked = agentOf(id);
      await tell(id, 'dtmf', { digits: '2' });
      expect(asked).toEqual([{ kind: 'dtmf', digits: '2' }]);
      expect((await tell(id, 'dtmf', { digits: '1' }, KEY)).statusCode).toBe(200);
    });

    it('are refused before the call has begun and when it is over', async () => {
      const { id } = await place();
      expect(problemOf(await tell(id, 'dtmf', { digits: '1' }))).toEqual([409, 'not-answered']);
      await tell(id, 'cancel');
      expect(problemOf(await tell(id, 'dtmf', { digits: '1' }))).toEqual([409, 'call-over']);
    });

    it.each([
      ['dtmf', {}],
      ['dtmf', { digits: '' }],
      ['dtmf', { digits: 'ww' }],
      ['dtmf', { digits: '1'.repeat(65) }],
      ['dtmf', { digits: '12x' }],
      ['dtmf', { digits: '1', more: true }],
      ['transfer', {}],
      ['transfer', { to: TARGET, kind: 'warm' }],
      ['transfer', { to: '+442079460123' }],
      ['transfer', { to: 'sip:a@b.example' }],
      ['hangup', { say: ' ' }],
    ])('want a body that can be: %s %o', async (what, body) => {
      const id = await write({ status: 'in_progress' });
      expect(problemOf(await tell(id, what, body))[0]).toBe(400);
    });
  });

  it.each(['hangup', 'cancel', 'dtmf', 'transfer'])('%s knows no unknown call', async (what) => {
    const body = what === 'dtmf' ? { digits: '1' } : { to: TARGET };
    const payload = what === 'dtmf' || what === 'transfer' ? body : undefined;
    for (const id of [newCallId(), 'outbound-x', '\u0000']) {
      expect(problemOf(await tell(id, what, payload))).toEqual([404, 'not-found']);
    }
  });

  it('says so while Redis is away, and does nothing', async () => {
    const id = await write({ status: 'queued' });
    await api.server.kill();
    try {
      for (const what of ['cancel', 'hangup']) {
        const response = await tell(id, what);
        expect(problemOf(response)).toEqual([503, 'unavailable']);
        expect(response.headers['retry-after']).toBe('5');
      }
    } finally {
      await api.server.restart();
    }
    expect((await api.ledger.stateOf(id))?.status).toBe('queued');
  });
});
