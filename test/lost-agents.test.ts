import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { apologyText } from '../src/call/apology/apology-text.ts';
import { attendanceOf } from '../src/call/attendance.ts';
import type { CallId } from '../src/call/call-id.ts';
import { getLiveCall, listLiveCalls, seatsTaken } from '../src/call/live-calls.ts';
import { createLog } from '../src/platform/log.ts';
import { connectRedis, type Redis } from '../src/platform/redis.ts';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

type Call = {
  id: CallId;
  status: string;
  outcome: string | null;
  reason: string | null;
  timeline: { type: string; at: string; data: Record<string, unknown> }[];
  turns: { role: string; text: string }[];
};

/** The machine may be busy with other things. */
const PATIENT = 6;

const greeting = 'Hello, thank you for calling Trunkline Dental, how can I help?';

let stack: StackFixture;
let redis: Redis;
let rooms: RoomServiceClient;
let drafts: string;
let undo: (() => void)[];
let written = 0;

async function start(environment: Record<string, string>): Promise<void> {
  drafts = mkdtempSync(path.join(tmpdir(), 'lost-agents-'));
  stack = await StackFixture.start(environment);
  redis = connectRedis(stack.info.redisUrl, createLog('test', 'fatal'), 'patient');
  const { livekitUrl, livekitApiKey, livekitApiSecret } = stack.info;
  rooms = new RoomServiceClient(livekitUrl.replace(/^ws/, 'http'), livekitApiKey, livekitApiSecret);
  undo = [];
}

async function stop(): Promise<void> {
  for (const each of undo) each();
  redis.disconnect();
  await stack.stop();
  rmSync(drafts, { recursive: true });
}

async function look(id: CallId): Promise<Call> {
  return (await (await stack.request('GET', `/api/calls/${id}`)).json()) as Call;
}

async function ended(id: CallId): Promise<Call> {
  return eventually(async () => {
    const call = await look(id);
    return call.status === 'ended' ? call : undefined;
  });
}

const eventsOf = (call: Call, type: string) => call.timeline.filter((event) => event.type === type);

async function callIds(): Promise<CallId[]> {
  const { calls } = (await (await stack.request('GET', '/api/calls?limit=200')).json()) as {
    calls: { id: CallId }[];
  };
  return calls.map(({ id }) => id);
}

type Talk = { id: CallId; finished: Promise<{ code: number; stdout: string; stderr: string }> };

/** Begins a conversation; resolves when the agent's greeting is being said, or was. */
async function greeted(steps: object[], expected: object = {}): Promise<Talk> {
  const file = path.join(drafts, `${(written += 1)}.yaml`);
  const conversation = {
    call: { to: '+12025550110' },
    steps: [{ agent: { says: greeting } }, ...steps],
    expect: expected,
  };
  writeFileSync(file, stringify(conversation));
  const known = await callIds();
  const finished = stack.run(`simulate --patience ${PATIENT} ${file}`);
  const id = await Promise.race([
    eventually(async () => (await callIds()).find((candidate) => !known.includes(candidate))),
    finished.then(({ stdout, stderr }) => {
      throw new Error(`no call came of it:\n${stdout}${stderr}`);
    }),
  ]);
  await eventually(async () => ((await look(id)).turns.length > 0 ? true : undefined));
  return { id, finished };
}

async function expectPassed({ finished }: Talk): Promise<void> {
  const { code, stdout, stderr } = await finished;
  expect(code, stdout + stderr).toBe(0);
}

/** The process of a worker that carries a call, with all that it started. */
async function workerOf(id: CallId): Promise<number> {
  const attended = await attendanceOf(redis, id);
  const host = attended?.state === 'attended' ? attended.host : '';
  const pid = stack.info.processes.find(
    (each) => each.name.startsWith('worker') && host.includes(String(each.pid)),
  )?.pid;
  if (pid === undefined) throw new Error(`no worker has the host ${host}`);
  return pid;
}

async function agentsIn(id: CallId): Promise<string[]> {
  const call = await getLiveCall(redis, id);
  if (!call) return [];
  const participants = await rooms.listParticipants(call.room);
  return participants
    .filter(({ kind }: { kind: number }) => kind === 4)
    .map(({ identity }) => identity);
}

async function expectNothingLeft(): Promise<void> {
  await eventually(async () => ((await listLiveCalls(redis)).length === 0 ? true : undefined));
  expect(await seatsTaken(redis, 'simulator')).toBe(0);
  await eventually(async () => ((await rooms.listRooms()).length === 0 ? true : undefined));
}

describe('with two workers', () => {
  beforeAll(() => start({ NUM_AGENTS: '2' }));
  afterAll(stop);

  it('another goes on with the calls of one that is killed with all its processes', async () => {
    const talk = await greeted(
      [
        // Whatever it says when it goes on.
        { agent: {} },
        { caller: { says: 'I would like to book a check-up, please.' } },
        { agent: { says: 'Gladly. Which day would suit you best?' } },
        { caller: { hangs_up: true } },
      ],
      { outcome: 'completed' },
    );
    process.kill(-(await workerOf(talk.id)), 'SIGKILL');
    await expectPassed(talk);
    const call = await ended(talk.id);
    expect(eventsOf(call, 'call.taken_over')).toMatchObject([{ data: { cause: 'worker_lost' } }]);
    expect(eventsOf(call, 'call.ended')).toHaveLength(1);
    await expectNothingLeft();
  });
});

describe('with one worker', () => {
  beforeAll(() => start({}));
  afterAll(stop);

  it('who is on the line hears a recorded sentence when it hangs, and it does no harm when it is back', async () => {
    const talk = await greeted([{ agent: { says: apologyText('en'), hangs_up: true } }], {
      outcome: 'failed',
    });
    const worker = await workerOf(talk.id);
    // As a machine that is cut off: it is neither gone nor started again.
    process.kill(-worker, 'SIGSTOP');
    const goOn = () => process.kill(-worker, 'SIGCONT');
    undo.push(goOn);
    await expectPassed(talk);
    const call = await ended(talk.id);
    expect(call.reason).toMatch(/recorded sentence/);
    expect(call.turns.at(-1)).toMatchObject({ role: 'agent', text: apologyText('en') });
    goOn();
    await expectNothingLeft();
    const next = await greeted([{ caller: { hangs_up: true } }]);
    await expectPassed(next);
    expect(eventsOf(await look(talk.id), 'call.ended')).toHaveLength(1);
  });

  it('a call goes on with its agent when livekit-server is killed and comes back', async () => {
    const talk = await greeted([
      // After 10 s of silence, in which livekit-server was gone for some seconds.
      { agent: { says: 'Are you still there?' } },
      { caller: { says: 'I would like to book a check-up, please.' } },
      { agent: { says: 'Gladly. Which day would suit you best?' } },
      { caller: { hangs_up: true } },
    ]);
    const before = await attendanceOf(redis, talk.id);
    process.kill(stack.pidOf('livekit-server'), 'SIGKILL');
    await eventually(async () => ((await look(talk.id)).turns.length > 1 ? true : undefined));
    expect(before).toMatchObject({ state: 'attended' });
    expect(await attendanceOf(redis, talk.id)).toEqual(before);
    expect(await agentsIn(talk.id)).toHaveLength(1);
    await expectPassed(talk);
    const call = await ended(talk.id);
    expect(call.outcome).toBe('completed');
    expect(eventsOf(call, 'call.taken_over')).toEqual([]);
    await expectNothingLeft();
  });

  it('the ledger tells of calls whose livekit-sip was killed, and none is dialled again', async () => {
    const callee = '+12025550120';
    const body = { to_number: callee, personality: 'appointment_reminder' };
    const ordered = await stack.request('POST', '/api/outbound-call', body);
    const outbound = ordered.headers.get('x-call-id') as CallId;
    await eventually(async () =>
      (await look(outbound)).status === 'in_progress' ? true : undefined,
    );
    // Its end of the line is not told, and hears nothing any more.
    const inbound = await greeted([{ caller: { silence_ms: 30_000 } }]);
    process.kill(stack.pidOf('livekit-sip'), 'SIGKILL');
    for (const id of [outbound, inbound.id]) {
      expect(await ended(id)).toMatchObject({ outcome: 'failed' });
    }
    await expectNothingLeft();
    const url = `${stack.info.simulatorUrl}/simulator/phone/invites?to=${encodeURIComponent(callee)}`;
    const { invites } = (await (await fetch(url)).json()) as { invites: unknown[] };
    expect(invites).toHaveLength(1);
    await inbound.finished;
  });
});
