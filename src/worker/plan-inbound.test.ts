import { DisconnectReason, type RemoteParticipant } from '@livekit/rtc-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EVENT_STREAM, EventPublisher, parseStreamEntry } from '../call/event-stream.ts';
import { listLiveCalls } from '../call/live-calls.ts';
import type { Personality } from '../personality/personality.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import type { Trunk } from '../trunk/trunk.ts';
import type { PhoneLeg } from './phone-leg.ts';
import { planInbound } from './plan-inbound.ts';
import type { WorkerDeps } from './worker-deps.ts';

const log = createLog('test', 'fatal');
const NUMBER = '+12025550110';
let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, log, 'patient');
});

beforeEach(async () => {
  await redis.flushall();
});

afterAll(async () => {
  redis.disconnect();
  await server.remove();
});

function personality(key: string, simulated: boolean): Personality {
  const prompt = { key, text: `You are ${key}.`, parameters: {} };
  return {
    key,
    name: key,
    hash: '1',
    simulated,
    language: 'en-US',
    timezone: 'UTC',
    components: {
      stt: { provider: 'simulator' },
      llm: { provider: 'simulator', model: 'simulator' },
      tts: { provider: 'simulator' },
    },
    prompts: { inbound: prompt, outbound: prompt },
    llmPrompt: 'replace',
    greeting: { inbound: 'Hello.' },
    limits: { maxDurationMs: 60_000, silenceReminderMs: 5000, silenceMs: 12_000 },
  } as unknown as Personality;
}

function deps(options: { answers: string; simulated?: boolean; provider?: string }): WorkerDeps {
  const trunk = {
    name: 'line',
    provider: options.provider ?? 'simulator',
    numbers: [{ number: NUMBER, personality: options.answers }],
  };
  const known = personality('receptionist', options.simulated ?? true);
  return {
    config: { DEFAULT_PERSONALITY: 'receptionist' },
    log,
    redis,
    events: new EventPublisher(redis),
    personalities: { get: (key: string) => (key === known.key ? known : undefined) },
    trunks: [trunk as unknown as Trunk],
  } as unknown as WorkerDeps;
}

const participant = {
  identity: 'sip_caller',
  attributes: {
    'sip.trunkPhoneNumber': NUMBER,
    'sip.phoneNumber': '+12025550149',
    'sip.callID': 'abc',
  },
} as unknown as RemoteParticipant;

const never = new Promise<never>(() => undefined);
const present = {
  joined: Promise.resolve(participant),
  gone: never,
  sipCallId: 'abc',
} as unknown as PhoneLeg;

async function plan(given: WorkerDeps, leg: PhoneLeg = present) {
  const stop = new AbortController().signal;
  const job = { agent: 'agent-1', stop };
  const made = await planInbound(given, job, { trunk: 'line', leg, roomName: 'in-room' });
  await made?.journal.flushed();
  return made;
}

async function events() {
  const entries = await redis.xrange(EVENT_STREAM, '-', '+');
  return entries.map(([, fields]) => parseStreamEntry(fields));
}

describe('planInbound', () => {
  it('lets the personality of the number answer, and tells the ledger once, however often it is asked', async () => {
    const given = deps({ answers: 'receptionist' });
    const [first, second] = [await plan(given), await plan(given)];
    expect(first?.task).toMatchObject({
      kind: 'talk',
      settings: { instructions: 'You are receptionist.', greeting: 'Hello.' },
    });
    expect(second?.id).toBe(first?.id);
    expect(await events()).toMatchObject([
      {
        type: 'call.received',
        call: first?.id,
        data: { from: '+12025550149', to: NUMBER, trunk: 'line', sipCallId: 'abc' },
      },
    ]);
    expect(await listLiveCalls(redis)).toMatchObject([{ id: first?.id, direction: 'inbound' }]);
  });

  it('falls back to the default where the personality of the number does not exist', async () => {
    const made = await plan(deps({ answers: 'nobody' }));
    expect(made?.task).toMatchObject({ kind: 'talk', personality: { key: 'receptionist' } });
  });

  it('refuses people on a carrier for a personality of the simulator, and no others', async () => {
    const simulated = await plan(deps({ answers: 'receptionist', provider: 'twilio' }));
    expect(simulated?.task).toMatchObject({ kind: 'refuse', end: { outcome: 'blocked' } });
    const real = await plan(
      deps({ answers: 'receptionist', provider: 'twilio', simulated: false }),
    );
    expect(real?.task.kind).toBe('talk');
  });

  it('fails the call with a remedy where not even the default personality exists', async () => {
    const given = deps({ answers: 'receptionist' });
    const made = await plan({ ...given, personalities: { get: () => undefined, list: () => [] } });
    expect(made?.task).toMatchObject({ kind: 'refuse', end: { outcome: 'failed' } });
  });

  it('gives up a room that the caller has left again', async () => {
    const gone = Promise.resolve(DisconnectReason.CLIENT_INITIATED);
    const left = { joined: never, gone } as unknown as PhoneLeg;
    expect(await plan(deps({ answers: 'receptionist' }), left)).toBeUndefined();
    expect(await events()).toEqual([]);
  });
});
