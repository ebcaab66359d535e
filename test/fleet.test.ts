import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { attendanceOf } from '../src/call/attendance.ts';
import type { CallId } from '../src/call/call-id.ts';
import type { ConversationReport } from '../src/simulator/conversation/report.ts';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

const GREETING = 'Hello, thank you for calling Trunkline Dental, how can I help?';
const ADDRESS = 'You find us at twelve Harbor Street.';
const HOURS = 'We are open from eight until five.';

let stack: StackFixture;
let redis: Redis;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fleet-'));
  stack = await StackFixture.start({
    NUM_AGENTS: '2',
    WORKER_HOSTS: '2',
    WORKER_DRAIN_SECONDS: '0',
    WORKER_HANDOVER_SECONDS: '60',
  });
  redis = new Redis(stack.info.redisUrl);
});
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
  rmSync(folder, { recursive: true });
});

const START = [
  { agent: { says: GREETING } },
  { caller: { says: 'Where exactly is your practice?' } },
  { agent: { says: ADDRESS } },
];
/** The far end says nothing until somebody speaks to it again. */
const SPOKEN_TO_AGAIN = [{ caller: { silence_ms: 500 } }, { agent: { within_ms: 12_000 } }];
const ASKED_AGAIN = [
  { caller: { says: 'What are your opening hours?' } },
  { agent: { says: HOURS } },
];
const END = [{ caller: { hangs_up: true } }];

/** Holds a conversation; `during` is called when the agent has given its first answer. */
async function hold(
  steps: object[],
  during: (call: { id: CallId; host: string }) => Promise<void>,
): Promise<{ report: ConversationReport; id: CallId }> {
  const known = new Set(await redis.hkeys('trunkline:live'));
  const file = path.join(folder, 'conversation.yaml');
  const content = {
    name: 'A call that must go on',
    call: { to: '+12025550110' },
    steps: [...START, ...steps, ...END],
    expect: { outcome: 'completed', hung_up_by: 'caller' },
  };
  writeFileSync(file, stringify(content));
  let ended: { stdout: string; stderr: string } | undefined;
  const simulated = stack.run(`simulate --json --patience 6 ${file}`);
  void simulated.then((result) => (ended = result));
  const id = await eventually(async () => {
    if (ended) throw new Error(`it was over too soon:\n${ended.stdout}${ended.stderr}`);
    const [fresh] = (await redis.hkeys('trunkline:live')).filter((each) => !known.has(each));
    if (fresh === undefined) return undefined;
    const turns = (await recordOf(fresh))?.turns ?? [];
    return turns.length >= 3 ? (fresh as CallId) : undefined;
  });
  const attendance = await attendanceOf(redis, id);
  if (attendance?.state !== 'attended') throw new Error('nobody attends the call');
  await during({ id, host: attendance.host });
  const { stdout, stderr } = await simulated;
  const report = JSON.parse(stdout.trim()) as ConversationReport;
  expect(report.passed, stdout + stderr).toBe(true);
  return { report, id };
}

type CallRecord = {
  timeline: { type: string; data: Record<string, unknown> }[];
  turns: unknown[];
};

async function recordOf(id: string): Promise<CallRecord | undefined> {
  const response = await stack.request('GET', `/api/calls/${id}`);
  return response.status === 200 ? ((await response.json()) as CallRecord) : undefined;
}

/** The call's end is told once, and by nobody but its agent. */
async function expectOneEnd(id: CallId): Promise<void> {
  const ends = await eventually(async () => {
    const found = (await recordOf(id))?.timeline.filter(({ type }) => type === 'call.ended');
    return found?.length ? found : undefined;
  });
  expect(ends).toMatchObject([{ data: { outcome: 'completed', hungUpBy: 'caller' } }]);
  expect(await attendanceOf(redis, id)).toBeUndefined();
}

/** The hosts of this stack that live. */
async function hosts(): Promise<string[]> {
  return (await redis.hkeys('trunkline:hosts')).filter((id) => pidOf(id) !== undefined).toSorted();
}

/** The process of a host, whose last argument is its id. */
function pidOf(host: string): number | undefined {
  const found = readdirSync('/proc').find((pid) => argumentsOf(pid).at(-1) === host);
  return found === undefined ? undefined : Number(found);
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return [];
  }
}

const workerOf = (host: string) => host.slice(0, host.lastIndexOf('.'));

/** The process of the worker to which a host belongs. */
function parentPid(host: string): number {
  const status = readFileSync(`/proc/${pidOf(host)}/status`, 'utf8');
  return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
}

function signal(host: string, name: NodeJS.Signals): void {
  const pid = pidOf(host);
  if (pid === undefined) throw new Error(`there is no host ${host}`);
  process.kill(pid, name);
}

/** All workers have their hosts, and livekit-server knows them. */
async function whole(): Promise<void> {
  await eventually(async () => {
    const living = await hosts();
    const { stdout } = await stack.run('ps --json');
    const rows = JSON.parse(stdout) as { name: string; state: string }[];
    const running = rows.filter(
      ({ name, state }) => name.startsWith('worker') && state === 'running',
    );
    return running.length === 2 && living.length === 4 ? true : undefined;
  });
}

describe('calls in the same process', () => {
  it('are answered at once, each by its own agent, and leave the hosts as they were', async () => {
    const before = await hosts();
    expect(before).toHaveLength(4);
    const file = path.join(folder, 'several.yaml');
    writeFileSync(
      file,
      stringify({
        name: 'Several at once',
        parallel: 6,
        call: { to: '+12025550110' },
        steps: [...START, ...END],
        expect: { outcome: 'completed', turns: 3 },
      }),
    );
    const { code, stdout, stderr } = await stack.run(`simulate --json --patience 6 ${file}`);
    expect(code, stdout + stderr).toBe(0);
    expect((JSON.parse(stdout.trim()) as ConversationReport).calls).toHaveLength(6);
    expect(await hosts()).toEqual(before);
  });
});

describe('a call whose host', () => {
  it.each([
    ['is killed', 'SIGKILL'],
    ['is stopped', 'SIGSTOP'],
  ] as const)('%s is gone on with by another', async (_, name) => {
    const { id } = await hold(SPOKEN_TO_AGAIN, async ({ id: call, host }) => {
      signal(host, name);
      const next = await eventually(async () => {
        const now = await attendanceOf(redis, call);
        return now?.state === 'attended' && now.host !== host ? now.host : undefined;
      });
      expect(workerOf(next)).toBe(workerOf(host));
    });
    await expectOneEnd(id);
    await whole();
  });
});

describe('a call whose agent', () => {
  it('is cut off from its room is gone on with by another', async () => {
    const { id } = await hold(SPOKEN_TO_AGAIN, async ({ id: call }) => {
      const before = await attendanceOf(redis, call);
      if (before?.state !== 'attended') throw new Error('nobody attends the call');
      const live = JSON.parse((await redis.hget('trunkline:live', call)) ?? '') as { room: string };
      const { livekitUrl, livekitApiKey, livekitApiSecret } = stack.info;
      const rooms = new RoomServiceClient(
        livekitUrl.replace(/^ws/, 'http'),
        livekitApiKey,
        livekitApiSecret,
      );
      await rooms.removeParticipant(live.room, before.agent);
      await eventually(async () => {
        const now = await attendanceOf(redis, call);
        return now?.state === 'attended' && now.agent !== before.agent ? true : undefined;
      });
    });
    await expectOneEnd(id);
  });
});

describe('a call whose worker', () => {
  it('is killed goes on in its host, which ends after it', async () => {
    let orphan = '';
    const { id } = await hold(ASKED_AGAIN, async ({ id: call, host }) => {
      orphan = host;
      process.kill(parentPid(host), 'SIGKILL');
      expect(await attendanceOf(redis, call)).toMatchObject({ state: 'attended', host });
    });
    await expectOneEnd(id);
    await eventually(() => (pidOf(orphan) === undefined ? true : undefined));
    await whole();
  });

  it('is stopped is handed over to another', async () => {
    const { id } = await hold(SPOKEN_TO_AGAIN, async ({ id: call, host }) => {
      process.kill(parentPid(host), 'SIGTERM');
      const next = await eventually(async () => {
        const now = await attendanceOf(redis, call);
        return now?.state === 'attended' && now.host !== host ? now.host : undefined;
      });
      expect(workerOf(next)).not.toBe(workerOf(host));
    });
    await expectOneEnd(id);
    await whole();
  });
});

describe('a stack that stops', () => {
  it('leaves no host behind', async () => {
    const before = await hosts();
    expect(before).toHaveLength(4);
    expect(await stack.stop()).toBe(0);
    expect(before.filter((id) => pidOf(id) !== undefined)).toEqual([]);
  });
});
