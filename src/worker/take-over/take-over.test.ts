import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { attend, attendanceOf, vacate } from '../../call/attendance.ts';
import { newCallId, type CallId } from '../../call/call-id.ts';
import { jobMetadataSchema } from '../../call/job-metadata.ts';
import { enterLiveCall, leaveLiveCall } from '../../call/live-calls.ts';
import { allocateCallId } from '../../call/room-call-id.ts';
import type { Config } from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { RedisServer } from '../../platform/testing/redis-server.ts';
import type { HostCall } from '../hosts/host-message.ts';
import type { HostRun } from '../hosts/host-process.ts';
import { firstRun, nextRun } from './run-name.ts';
import { TakeOver } from './take-over.ts';

const log = createLog('test', 'silent');
let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, log, 'patient');
});
beforeEach(() => redis.flushall());
afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

/** A take-over whose hosts and rooms write down what is asked of them. */
function setUp(hasHost = true) {
  const asked = { placed: [] as HostCall[], removed: [] as string[], deleted: [] as string[] };
  const counted = { takenOver: 0, givenUp: 0 };
  const takeOver = new TakeOver({
    config: {
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'a secret of a test, and long enough',
      AGENT_NAME: 'tested',
    } as Config,
    redis,
    rooms: {
      removeParticipant: async (_, identity) => void asked.removed.push(identity),
      deleteRoom: async (room) => void asked.deleted.push(room),
    },
    pool: () => ({
      place: async (call) => {
        if (hasHost) asked.placed.push(call);
        return hasHost;
      },
    }),
    log,
    onTakenOver: () => (counted.takenOver += 1),
    onGivenUp: () => (counted.givenUp += 1),
  });
  const lose = async (run: HostRun) => {
    takeOver.lost([run], 'host_died');
    expect(takeOver.pending).toEqual([run]);
    await vi.waitFor(() => expect(takeOver.pending).toEqual([]), { timeout: 30_000 });
  };
  return { asked, counted, lose };
}

async function liveCall(): Promise<CallId> {
  const id = newCallId();
  await enterLiveCall(redis, { id, room: id, trunk: 'phone', direction: 'outbound', since: 0 });
  return id;
}

function outboundRun(id: CallId, changes: Partial<HostRun> = {}): HostRun {
  return {
    run: 'agent-AJ_1',
    job: 'AJ_1',
    room: id,
    metadata: JSON.stringify({ direction: 'outbound', callId: id, trunk: 'phone' }),
    url: 'ws://livekit',
    token: 'old',
    callId: id,
    ended: false,
    ...changes,
  };
}

const orderOf = (call: HostCall | undefined) =>
  jobMetadataSchema.parse(JSON.parse(call?.metadata ?? '')).takeOver;

describe('TakeOver', () => {
  it('goes on with a call under a new name and with access to its room, and removes the ghost', async () => {
    const { asked, counted, lose } = setUp();
    const id = await liveCall();
    await attend(redis, id, { agent: 'agent-AJ_1', host: 'w.1' });
    await lose(outboundRun(id));
    expect(asked).toMatchObject({
      placed: [{ run: 'agent-AJ_1-1', job: 'AJ_1', room: id, url: 'ws://livekit' }],
      removed: ['agent-AJ_1'],
      deleted: [],
    });
    const [call] = asked.placed;
    const vacant = await attendanceOf(redis, id);
    expect(vacant).toMatchObject({ state: 'vacant', cause: 'host_died', agent: 'agent-AJ_1' });
    const at = vacant?.state === 'vacant' ? vacant.at : 0;
    expect(orderOf(call)).toEqual({ callId: id, cause: 'host_died', lostAt: at });
    const claims: unknown = JSON.parse(
      Buffer.from(call?.token.split('.')[1] ?? '', 'base64url').toString(),
    );
    expect(claims).toMatchObject({
      sub: 'agent-AJ_1-1',
      kind: 'agent',
      video: { room: id, roomJoin: true, agent: true, canUpdateOwnMetadata: true },
    });
    expect(counted).toEqual({ takenOver: 1, givenUp: 0 });
  });

  it('begins a call anew that no agent attended yet', async () => {
    const { asked, lose } = setUp();
    const id = await liveCall();
    await lose(outboundRun(id, { callId: undefined }));
    expect(asked.placed).toHaveLength(1);
    expect(orderOf(asked.placed[0])).toBeUndefined();
  });

  it('finds the id of an inbound call that its host had not told by its room', async () => {
    const { asked, lose } = setUp();
    const { id } = await allocateCallId(redis, 'in-room');
    await enterLiveCall(redis, {
      id,
      room: 'in-room',
      trunk: 'phone',
      direction: 'inbound',
      since: 0,
    });
    await attend(redis, id, { agent: 'agent-AJ_1', host: 'w.1' });
    const metadata = JSON.stringify({ direction: 'inbound', trunk: 'phone' });
    await lose(outboundRun(id, { room: 'in-room', metadata, callId: undefined }));
    expect(orderOf(asked.placed[0])).toMatchObject({ callId: id });
  });

  it('begins an inbound call anew of which nobody knows anything yet', async () => {
    const { asked, lose } = setUp();
    const metadata = JSON.stringify({ direction: 'inbound', trunk: 'phone' });
    await lose(outboundRun(newCallId(), { room: 'in-new', metadata, callId: undefined }));
    expect(asked.placed).toMatchObject([{ room: 'in-new', metadata }]);
  });

  it('only closes the room of a call whose end is on record', async () => {
    const { asked, lose } = setUp();
    const id = await liveCall();
    await lose(outboundRun(id, { ended: true }));
    expect(asked).toEqual({ placed: [], removed: [], deleted: [id] });
  });

  it('leaves a call alone that is over, or that somebody else has taken', async () => {
    const { asked, lose } = setUp();
    const over = await liveCall();
    await leaveLiveCall(redis, { id: over, trunk: 'phone' });
    await lose(outboundRun(over));
    const taken = await liveCall();
    await attend(redis, taken, { agent: 'agent-AJ_1', host: 'w.1' });
    await vacate(redis, taken, { agent: 'agent-AJ_1', cause: 'worker_lost' });
    await lose(outboundRun(taken));
    const attended = await liveCall();
    await attend(redis, attended, { agent: 'agent-AJ_9', host: 'w.1' });
    await lose(outboundRun(attended));
    expect(asked.placed).toEqual([]);
  });

  it('leaves a call vacant for the watchdog where no host is to be had, or too many died', async () => {
    const without = setUp(false);
    const id = await liveCall();
    await attend(redis, id, { agent: 'agent-AJ_1', host: 'w.1' });
    await without.lose(outboundRun(id));
    expect(without.counted).toEqual({ takenOver: 0, givenUp: 1 });
    expect(await attendanceOf(redis, id)).toMatchObject({ state: 'vacant' });

    const often = setUp();
    const unlucky = await liveCall();
    await attend(redis, unlucky, { agent: 'agent-AJ_1-3', host: 'w.1' });
    await often.lose(outboundRun(unlucky, { run: 'agent-AJ_1-3' }));
    expect(often.asked.placed).toEqual([]);
    expect(often.counted).toEqual({ takenOver: 0, givenUp: 1 });
  });
});

describe('the names of runs', () => {
  it('count, and end after three further ones', () => {
    expect(firstRun('AJ_x-y')).toBe('agent-AJ_x-y');
    expect(nextRun('agent-AJ_x-y')).toBe('agent-AJ_x-y-1');
    expect(nextRun('agent-AJ_x-y-2')).toBe('agent-AJ_x-y-3');
    expect(nextRun('agent-AJ_x-y-3')).toBeUndefined();
  });
});
