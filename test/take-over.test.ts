import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { listAttendance } from '../src/call/attendance.ts';
import type { CallId } from '../src/call/call-id.ts';
import { recallConversation, type Recalled } from '../src/call/conversation-memory.ts';
import { conversationEvents } from '../src/cli/simulator-client.ts';
import { createLog } from '../src/platform/log.ts';
import { connectRedis, type Redis } from '../src/platform/redis.ts';
import { spokenWords } from '../src/worker/spoken-words.ts';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

const root = path.resolve(import.meta.dirname, '..');
const RESUMED = spokenWords('en-US').resumed;
const GREETING = 'Hello, thank you for calling Trunkline Dental, how can I help?';
const HOURS = 'What are your opening hours?';
const FIRST =
  'We are open from Monday to Friday from eight in the morning until five in the afternoon.';
const LAST = 'On holidays we are closed all day.';
const ANSWER = `${FIRST} ${LAST}`;

/** The caller listens until long after the answer, whoever gives it, and hangs up then. */
const CONVERSATION = {
  call: { to: '+12025550110' },
  steps: [
    { agent: { says: GREETING } },
    { caller: { says: HOURS } },
    { agent: { says: ANSWER, interrupted: true } },
    { caller: { says: 'Thank you, goodbye.', interrupts: { after_ms: 30_000 } } },
  ],
};

type Call = {
  status: string;
  outcome: string;
  usage: { component: string; characters: number | null }[];
  timeline: { type: string; data: { cause?: string; silentMs?: number } }[];
  turns: { role: string; text: string; interrupted: boolean }[];
  recording: { duration_ms: number } | null;
  durations: { talk_ms: number };
};

let folder: string;
let agents: string;
let stack: StackFixture;
let redis: Redis;
/** Calls that a test has had. */
const past = new Set<CallId>();

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'take-over-'));
  agents = path.join(folder, 'agents');
  cpSync(path.join(root, 'agents'), agents, { recursive: true });
  changeReceptionist({ recording: true });
  stack = await StackFixture.start({ AGENTS_DIR: agents, LOG_LEVEL: 'info' });
  redis = connectRedis(stack.info.redisUrl, createLog('test', 'error'), 'patient');
});

afterAll(async () => {
  redis.disconnect();
  await stack.stop();
  rmSync(folder, { recursive: true });
});

function changeReceptionist(change: object): void {
  const file = path.join(agents, 'receptionist.yaml');
  const personality = parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, stringify({ ...personality, ...change }));
}

/** Holds the conversation; tells what was heard at the caller's ear, line by line. */
function converse(change: object = {}): Promise<string[]> {
  const { simulatorUrl: url, apiKey } = stack.info;
  const source = stringify({ ...CONVERSATION, ...change });
  const heard = async () => {
    const lines: string[] = [];
    const conversation = { file: 'take-over', source, record: false, patience: '6' };
    for await (const event of conversationEvents({ url, apiKey }, conversation)) {
      const line = event.type === 'progress' ? / agent +“(.*)”/.exec(event.text)?.[1] : undefined;
      if (line !== undefined) lines.push(line);
    }
    return lines;
  };
  return heard();
}

/** The call that is on, once its memory is as it must be. */
async function callWith(
  condition: (memory: Recalled) => boolean,
): Promise<{ id: CallId; host: string }> {
  return eventually(async () => {
    for (const [id, attendance] of await listAttendance(redis)) {
      if (attendance.state !== 'attended' || past.has(id)) continue;
      const memory = await recallConversation(redis, id);
      if (!memory || !condition(memory)) continue;
      past.add(id);
      return { id, host: attendance.host };
    }
    return undefined;
  });
}

function kill(host: string): void {
  const worker = stack.pidOf('worker');
  const children = readFileSync(`/proc/${worker}/task/${worker}/children`, 'utf8')
    .trim()
    .split(' ');
  const found = children.find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(host),
  );
  process.kill(Number(found), 'SIGKILL');
}

async function ended(id: CallId): Promise<Call> {
  return eventually(async () => {
    const call = (await (await stack.request('GET', `/api/calls/${id}`)).json()) as Call;
    return call.status === 'ended' && call.usage.length > 0 ? call : undefined;
  });
}

const countOf = (call: Call, type: string) =>
  call.timeline.filter((event) => event.type === type).length;

describe('a call whose host is killed', () => {
  it('answers what the caller had said', async () => {
    const heard = converse({ faults: { llm: { delay_ms: 3000 } } });
    const asked = ({ items, hearing }: Recalled) =>
      hearing.includes('hours') ||
      items.some(
        (item) =>
          item.kind === 'event' && item.event.type === 'turn' && item.event.data.role === 'caller',
      );
    const { id, host } = await callWith(asked);
    kill(host);

    const lines = await heard;
    const excuse = lines.indexOf(RESUMED);
    expect(excuse, lines.join('\n')).toBeGreaterThan(0);
    expect(lines.slice(excuse + 1, excuse + 3)).toEqual([FIRST, LAST]);
    const call = await ended(id);
    const said = call.turns.map(({ text }) => text);
    expect(said.filter((text) => text === HOURS)).toHaveLength(1);
    expect(said.filter((text) => text === ANSWER)).toHaveLength(1);
    expect(countOf(call, 'call.taken_over')).toBe(1);
  }, 240_000);

  it('goes on with the sentence that was broken off, and is told of once', async () => {
    const heard = converse();
    const { id, host } = await callWith(
      ({ saying }) => (saying?.heard.length ?? 0) > 20 && saying?.text === ANSWER,
    );
    // Whatever its files say by now, the call keeps the voice and the words that it began with.
    changeReceptionist({ language: 'de-DE', greeting: 'Guten Tag.' });
    await eventually(async () => {
      const changed = Object.values(stack.logs()).join('').split('personality changed').length - 1;
      return Promise.resolve(changed >= 2 ? true : undefined);
    });
    kill(host);

    const lines = await heard;
    expect(lines[0]).toBe(GREETING);
    const excuse = lines.indexOf(RESUMED);
    expect(excuse, lines.join('\n')).toBeGreaterThan(0);
    expect(lines.slice(excuse)).toContain(LAST);
    expect(lines.filter((line) => line === RESUMED)).toHaveLength(1);

    const call = await ended(id);
    for (const type of [
      'call.received',
      'call.answered',
      'call.taken_over',
      'call.usage',
      'call.ended',
    ]) {
      expect(countOf(call, type), type).toBe(1);
    }
    const [takeOver] = call.timeline.filter(({ type }) => type === 'call.taken_over');
    expect(takeOver?.data.cause).toBe('host_died');
    expect(takeOver?.data.silentMs).toBeGreaterThan(0);
    const said = call.turns.map(({ text }) => text);
    expect(said.slice(0, 2)).toEqual([GREETING, HOURS]);
    expect(call.turns[2]).toMatchObject({ role: 'agent', interrupted: true });
    expect(ANSWER.startsWith(said[2] ?? '?')).toBe(true);
    expect(said[3]).toBe(RESUMED);
    expect(ANSWER.endsWith(said[4] ?? '?')).toBe(true);
    // Both agents' use of the voice: what the first had said, and what the second did.
    const voice = call.usage.filter(({ component }) => component === 'tts');
    expect(voice).toHaveLength(1);
    expect(voice[0]?.characters).toBeGreaterThan(GREETING.length + ANSWER.length + RESUMED.length);
    // One recording, in step with the call: what nobody recorded is silence.
    const { duration_ms: recorded = 0 } = call.recording ?? {};
    expect(Math.abs(recorded - call.durations.talk_ms)).toBeLessThan(3000);
    const transcript = await stack.request('GET', `/api/calls/${id}/transcript?format=text`);
    expect(await transcript.text()).toMatch(/\(the agent was lost for \d+\.\d s\)/);
    expect(await recallConversation(redis, id)).toBeUndefined();
  }, 240_000);
});
