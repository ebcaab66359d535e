import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { getBrief } from '../call/call-brief.ts';
import { requestCancel } from '../call/cancel-request.ts';
import { readFence, takeFence } from '../call/dial-fence.ts';
import { ReplicatedFences } from '../call/replicated-fences.ts';
import { EventPublisher } from '../call/event-stream.ts';
import { enterLiveCall, getLiveCall, leaveLiveCall, seatsTaken } from '../call/live-calls.ts';
import type { CallOrder } from '../call/order.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { connectRedis, redisNow, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { trunkForOutbound } from '../trunk/routing.ts';
import { aTrunk } from '../trunk/trunk-fixture.ts';
import { CallRooms } from './call-room.ts';
import { DispatcherMetrics } from './dispatcher-metrics.ts';
import { anOrder } from './fixtures/an-order.ts';
import { endsOf, eventsOf } from './fixtures/events-of.ts';
import { LiveKitStandIn, noCapacity, sipError, timedOut } from './fixtures/livekit-stand-in.ts';
import { standInConfig } from './fixtures/stand-in-config.ts';
import { advanceCall, type OutboundDeps } from './outbound-call.ts';
import type { Progress } from './progress.ts';

let server: RedisServer;
let redis: Redis;
let livekit: LiveKitStandIn;
let deps: OutboundDeps;
let simulated: boolean;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, createLog('test', 'error'), 'patient');
});

beforeEach(async () => {
  livekit = await LiveKitStandIn.start();
  const config = standInConfig(livekit);
  const clients = connectLiveKit(config);
  const trunks = [aTrunk({ callsPerSecond: 1000, concurrentCalls: 2 })];
  simulated = false;
  deps = {
    redis,
    events: new EventPublisher(redis),
    rooms: new CallRooms(clients, config.AGENT_NAME),
    sip: clients.sip,
    fences: new ReplicatedFences(redis, 0),
    log: createLog('test', 'fatal'),
    metrics: new DispatcherMetrics(createMetrics('dispatcher')),
    ringMs: 5000,
    caller: (key) => (key === 'somebody' ? { simulated, maxDurationMs: 60_000 } : undefined),
    route: ({ trunk, from, to }, caller) =>
      trunkForOutbound(trunks, { trunk, from, to, simulated: caller.simulated }),
    trunkId: () => Promise.resolve('ST_1'),
  };
});

afterEach(async () => {
  livekit.close();
  await redis.flushall();
});

afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

function advance(order: CallOrder): Promise<Progress> {
  return advanceCall(deps, order, new AbortController().signal);
}

describe('what never reaches a trunk', () => {
  test('a destination that the trunk does not permit is blocked, with the reason', async () => {
    const order = anOrder({ to: '+4930123456' });
    expect(await advance(order)).toEqual({ kind: 'over' });
    expect(await endsOf(redis, order.callId)).toEqual([
      'blocked: The trunk office permits only destinations in US.',
    ]);
  });

  test('a simulated personality is not let out over a carrier', async () => {
    simulated = true;
    const order = anOrder();
    await advance(order);
    expect(await endsOf(redis, order.callId)).toEqual([expect.stringMatching(/^blocked: /)]);
  });

  test('a personality that is gone ends the call', async () => {
    const order = anOrder({ personality: 'nobody' });
    await advance(order);
    expect(await endsOf(redis, order.callId)).toEqual([expect.stringMatching(/^failed: /)]);
  });

  test('a call that was canceled while it waited is not dialled', async () => {
    const order = anOrder();
    await requestCancel(redis, order.callId);
    await advance(order);
    expect(await endsOf(redis, order.callId)).toEqual([expect.stringMatching(/^canceled: /)]);
  });

  test('an order whose call has ended already is not dialled when its job comes back', async () => {
    const order = anOrder({ to: '+4930123456' });
    await advance(order);
    expect(await advance({ ...order, to: '+12025550100' })).toEqual({ kind: 'over' });
    expect(livekit.invites).toEqual([]);
    expect(await endsOf(redis, order.callId)).toHaveLength(1);
  });

  test('a call that its agent ended is not dialled', async () => {
    livekit.agentsFree = false;
    const order = anOrder();
    const advancing = advance(order);
    const live = await vi.waitFor(async () => {
      const call = await getLiveCall(redis, order.callId);
      expect(call).toBeDefined();
      return call;
    });
    if (live) await leaveLiveCall(redis, live);
    await vi.waitFor(() => expect(livekit.rooms.get(order.callId)?.dispatches).toBe(1));
    livekit.freeAgents();
    expect(await advancing).toEqual({ kind: 'over' });
    expect(livekit.invites).toEqual([]);
    expect(await endsOf(redis, order.callId)).toHaveLength(1);
  });

  afterEach(() => {
    expect(livekit.invites).toEqual([]);
  });
});

describe('a call that is dialled', () => {
  test('has its brief, its room and its agent before, and is the worker’s once it is answered', async () => {
    livekit.dialAnswer = { status: 200, body: { sipCallId: 'SCL_1' } };
    const order = anOrder();
    expect(await advance(order)).toEqual({ kind: 'over' });
    expect(await getBrief(redis, order.callId)).toEqual(order);
    expect(livekit.received.indexOf('CreateDispatch')).toBeLessThan(
      livekit.received.indexOf('CreateSIPParticipant'),
    );
    const types = (await eventsOf(redis, order.callId)).map(({ type }) => type);
    expect(types).toEqual(['call.dialing']);
    expect(await getLiveCall(redis, order.callId)).toMatchObject({ trunk: 'office' });
    expect(livekit.rooms.has(order.callId)).toBe(true);
  });

  test('and refused is ended with the status, its room closed, its seat free', async () => {
    livekit.dialAnswer = sipError(486);
    const order = anOrder();
    await advance(order);
    const [, end] = await eventsOf(redis, order.callId);
    expect(end).toMatchObject({ data: { outcome: 'busy', sipStatus: 486, hungUpBy: 'callee' } });
    expect(livekit.rooms.has(order.callId)).toBe(false);
    expect(await seatsTaken(redis, 'office')).toBe(0);
  });

  test('may last as long as its order says, else as its personality', async () => {
    livekit.dialAnswer = { status: 200, body: { sipCallId: 'SCL_1' } };
    const dialled = vi.spyOn(deps.sip, 'createSipParticipant');
    await advance(anOrder());
    await advance(anOrder({ maxDurationMs: 30_000 }));
    const limits = dialled.mock.calls.map(([, , , options]) => options?.maxCallDuration);
    // The SIP service leaves the agent two minutes to end the call itself.
    expect(limits).toEqual([60 + 120, 30 + 120]);
  });

  test('waits in line while all agents have a call, and an urgent one goes before it', async () => {
    livekit.dialAnswer = { status: 200, body: { sipCallId: 'SCL_1' } };
    const beat = JSON.stringify({ calls: 1, capacity: 1, at: Date.now() });
    await redis.hset('trunkline:workers', 'one', beat);
    const [first, second, urgent] = [anOrder(), anOrder(), anOrder({ priority: 1 })];
    expect(await advance(first)).toEqual({ kind: 'over' });
    expect(await advance(second)).toMatchObject({ kind: 'again' });
    expect(await advance(urgent)).toMatchObject({ kind: 'again' });
    const live = await getLiveCall(redis, first.callId);
    if (live) await leaveLiveCall(redis, live);
    expect(await advance(second)).toMatchObject({ kind: 'again' });
    expect(await advance(urgent)).toEqual({ kind: 'over' });
    expect(livekit.invites).toEqual([first.callId, urgent.callId]);
  });

  test('can be canceled while it rings', async () => {
    const order = anOrder();
    const advancing = advance(order);
    await vi.waitFor(() => expect(livekit.invites).toHaveLength(1));
    await requestCancel(redis, order.callId);
    await advancing;
    expect(livekit.deleted).toEqual([order.callId]);
    expect(await endsOf(redis, order.callId)).toEqual([expect.stringMatching(/^canceled: /)]);
  });

  describe('canceled in the moment of its answer', () => {
    beforeEach(() => {
      livekit.canceledAnswer = { status: 200, body: { sipCallId: 'SCL_1' } };
    });

    test('is canceled where the agent has not seen the answer', async () => {
      const order = anOrder();
      const advancing = advance(order);
      await vi.waitFor(() => expect(livekit.invites).toHaveLength(1));
      await requestCancel(redis, order.callId);
      expect(await advancing).toEqual({ kind: 'over' });
      expect(await endsOf(redis, order.callId)).toEqual([expect.stringMatching(/^canceled: /)]);
      expect(await seatsTaken(redis, 'office')).toBe(0);
    });

    test('is left to the agent that has seen the answer and tells the end', async () => {
      const order = anOrder();
      const advancing = advance(order);
      await vi.waitFor(() => expect(livekit.invites).toHaveLength(1));
      await requestCancel(redis, order.callId);
      await vi.waitFor(() => expect(livekit.deleted).toEqual([order.callId]));
      await leaveLiveCall(redis, { id: order.callId, trunk: 'office' });
      expect(await advancing).toEqual({ kind: 'over' });
      expect(await endsOf(redis, order.callId)).toEqual([]);
    });
  });

  test('is cancelled when its agent is gone, so that nobody answers to silence', async () => {
    const order = anOrder();
    const advancing = advance(order);
    await vi.waitFor(() => expect(livekit.invites).toHaveLength(1));
    Object.assign(livekit.rooms.get(order.callId) ?? {}, { agent: false });
    await advancing;
    expect(livekit.deleted).toEqual([order.callId]);
    expect(await endsOf(redis, order.callId)).toEqual([
      expect.stringMatching(/^failed: The agent left/),
    ]);
  });

  test('is no answer when the phone rang as long as it may', async () => {
    const order = anOrder();
    const advancing = advance(order);
    await vi.waitFor(() => expect(livekit.invites).toHaveLength(1));
    // The SIP service's time-out, a little early, as its clock may be.
    await sleep(deps.ringMs - 500);
    livekit.finish(order.callId, timedOut);
    await advancing;
    expect(await endsOf(redis, order.callId)).toEqual([expect.stringMatching(/^no_answer: /)]);
  });

  test('waits where the trunk has no seat, and goes when there is one', async () => {
    livekit.dialAnswer = { status: 200, body: { sipCallId: 'SCL_1' } };
    const [first, second, third] = [anOrder(), anOrder(), anOrder()];
    await advance(first);
    await vi.waitFor(async () => expect(await advance(second)).toEqual({ kind: 'over' }));
    expect(await advance(third)).toMatchObject({ kind: 'again' });
    const live = await getLiveCall(redis, first.callId);
    if (live) await leaveLiveCall(redis, live);
    await vi.waitFor(async () => expect(await advance(third)).toEqual({ kind: 'over' }));
    expect(livekit.invites).toEqual([first.callId, second.callId, third.callId]);
  });

  test('is tried again where the SIP service had no capacity, and gives its fence back for that', async () => {
    livekit.dialAnswer = noCapacity;
    const order = anOrder();
    expect(await advance(order)).toMatchObject({ kind: 'again' });
    expect(await readFence(redis, order.callId)).toBeUndefined();
    livekit.dialAnswer = { status: 200, body: { sipCallId: 'SCL_1' } };
    expect(await advance(order)).toEqual({ kind: 'over' });
    expect(await endsOf(redis, order.callId)).toEqual([]);
    // The agent that waits in the room is used again.
    expect(livekit.rooms.get(order.callId)?.dispatches).toBe(1);
  });
});

describe('a call that another attempt may have dialled', () => {
  test('is never dialled: answered, it is left to its worker', async () => {
    livekit.dialAnswer = { status: 200, body: { sipCallId: 'SCL_1' } };
    const order = anOrder();
    await advance(order);
    Object.assign(livekit.rooms.get(order.callId) ?? {}, { phone: 'active' });
    expect(await advance(order)).toEqual({ kind: 'over' });
    expect(livekit.invites).toHaveLength(1);
    expect(await endsOf(redis, order.callId)).toEqual([]);
  });

  test('is not dialled again where Redis has lost its fence: the phone in its room tells of it', async () => {
    const order = anOrder();
    const first = advance(order);
    await vi.waitFor(() => expect(livekit.invites).toHaveLength(1));
    await redis.del(`trunkline:fence:${order.callId}`);
    const second = advance(order);
    await vi.waitFor(async () => expect(await readFence(redis, order.callId)).toBeDefined());
    livekit.pickUp(order.callId);
    expect(await Promise.all([first, second])).toEqual([{ kind: 'over' }, { kind: 'over' }]);
    expect(livekit.invites).toEqual([order.callId]);
    expect(await endsOf(redis, order.callId)).toEqual([]);
  });

  test('is not given up while livekit-sip joins again after a restart of livekit-server', async () => {
    const order = anOrder();
    const { callId } = order;
    await deps.rooms.prepare(callId, 'office');
    await enterLiveCall(redis, {
      id: callId,
      room: callId,
      trunk: 'office',
      direction: 'outbound',
      since: Date.now(),
    });
    const at = (await redisNow(redis)) - 30_000;
    await takeFence(redis, callId, { attempt: 'cut off', trunk: 'office', at, ringMs: 45_000 });
    const advancing = advance(order);
    await sleep(6000);
    livekit.pickUp(callId);
    expect(await advancing).toEqual({ kind: 'over' });
    expect(livekit.deleted).toEqual([]);
    expect(await endsOf(redis, callId)).toEqual([]);
  });

  test('and that somebody else has ended needs nothing more', async () => {
    const order = anOrder();
    await takeFence(redis, order.callId, {
      attempt: 'another',
      trunk: 'office',
      at: await redisNow(redis),
      ringMs: 5000,
    });
    expect(await advance(order)).toEqual({ kind: 'over' });
    expect(livekit.invites).toEqual([]);
    expect(await endsOf(redis, order.callId)).toEqual([]);
  });
});
