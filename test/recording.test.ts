import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { newCallId } from '../src/call/call-id.ts';
import { HEADER_BYTES, muLawHeader } from '../src/call/recording/mu-law-wav.ts';
import { recordingFile } from '../src/call/recording/recording-file.ts';
import { PCMU } from '../src/platform/g711.ts';
import type { ConversationReport, SpokenLine } from '../src/simulator/conversation/report.ts';
import { KnownLines } from '../src/simulator/known-lines.ts';
import { SAMPLE_RATE } from '../src/simulator/leg.ts';
import { Recogniser, type Heard } from '../src/simulator/recogniser.ts';
import { resample } from '../src/simulator/resample.ts';
import { Speech } from '../src/simulator/speech.ts';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

const root = path.resolve(import.meta.dirname, '..');
const RATE = 8000;

/** Caller and agent in turn; the agent is broken off in its second line, which is one clause: it is spoken in one. */
const LINES = {
  greeting: 'Hello, thank you for calling Trunkline Dental, how can I help?',
  hours: 'What are your opening hours?',
  long: 'We are open from Monday to Friday from eight in the morning until five in the afternoon and on the first Saturday of each month also until noon except on holidays.',
  enough: 'Thank you, that is enough.',
  more: 'Can I do anything else for you?',
  no: 'No, that was everything for today.',
  goodbye: 'Goodbye, and thank you for your call.',
};
const CONVERSATION = {
  name: 'A call that is recorded',
  call: { to: '+12025550110' },
  steps: [
    { agent: { says: LINES.greeting } },
    { caller: { says: LINES.hours } },
    { agent: { says: LINES.long, interrupted: true } },
    { caller: { says: LINES.enough, interrupts: { after_ms: 2500 } } },
    { agent: { says: LINES.more } },
    { caller: { says: LINES.no } },
    { agent: { says: LINES.goodbye, tool: 'end_call', hangs_up: true } },
  ],
  expect: { outcome: 'completed' },
};

type Usage = Record<string, unknown> & { component: string };
type Call = {
  id: string;
  status: string;
  timeline: { type: string; data: { usage?: Usage[]; durationMs?: number; bytes?: number } }[];
};

let stack: StackFixture;
let folder: string;
/** The folder of recordings. */
let kept: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'recording-'));
  const agents = path.join(folder, 'agents');
  cpSync(path.join(root, 'agents'), agents, { recursive: true });
  const receptionist = path.join(agents, 'receptionist.yaml');
  const personality = parse(readFileSync(receptionist, 'utf8')) as object;
  writeFileSync(receptionist, stringify({ ...personality, recording: true }));
  kept = path.join(folder, 'recordings');
  leaveAbandoned();
  stack = await StackFixture.start({ AGENTS_DIR: agents, RECORDINGS_DIR: kept });
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

/** A second of what a machine had recorded that lost its power. */
const abandoned = newCallId(Date.UTC(2025, 0, 2));

function leaveAbandoned(): void {
  const part = path.join(kept, `${recordingFile(abandoned)}.part`);
  mkdirSync(path.dirname(part), { recursive: true, mode: 0o700 });
  writeFileSync(part, Buffer.concat([muLawHeader(), Buffer.alloc(2 * RATE, 0xff)]));
  utimesSync(part, new Date('2025-01-02'), new Date('2025-01-02'));
}

function conversation(name: string, content: object): string {
  const file = path.join(folder, `${name}.yaml`);
  writeFileSync(file, stringify(content));
  return file;
}

async function callOf(id: string): Promise<Call> {
  return eventually(async () => {
    const call = (await (await stack.request('GET', `/api/calls/${id}`)).json()) as Call;
    return call.status === 'ended' ? call : undefined;
  });
}

/** The files below the folder of recordings. */
function recordings(): string[] {
  if (!existsSync(kept)) return [];
  return readdirSync(kept, { recursive: true, encoding: 'utf8' }).filter((file) =>
    statSync(path.join(kept, file)).isFile(),
  );
}

/** The process that has a recording open. */
function writerOf(file: string): number {
  const target = path.join(kept, file);
  const worker = stack.pidOf('worker');
  const children = readFileSync(`/proc/${worker}/task/${worker}/children`, 'utf8').split(' ');
  const writer = children.find((pid) => {
    const open = existsSync(`/proc/${pid}/fd`) ? readdirSync(`/proc/${pid}/fd`) : [];
    return open.some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === target);
  });
  if (writer === undefined) throw new Error('nobody has the recording open');
  return Number(writer);
}

/** What the simulator's ears hear on one channel of a recording, in ms from its beginning. */
async function heardOn(file: Buffer, channel: 0 | 1): Promise<Heard[]> {
  const codes = file.subarray(HEADER_BYTES).filter((_, index) => index % 2 === channel);
  const sound = resample(PCMU.decode(codes), RATE, SAMPLE_RATE);
  const speech = new Speech();
  const known = new KnownLines();
  // Both ears know both sides' lines, so that crosstalk would be heard as such.
  for (const text of Object.values(LINES)) {
    for (const voice of ['sim-caller', 'sim-agent-en'])
      known.add(text, await speech.say(text, { voice, language: 'en' }));
  }
  const recogniser = new Recogniser(known);
  const heard: Heard[] = [];
  recogniser.onHeard((one) => heard.push(one));
  recogniser.feed(sound);
  recogniser.feed(new Int16Array(SAMPLE_RATE));
  recogniser.close();
  return heard;
}

describe('a personality that records', () => {
  let id: string;
  let lines: SpokenLine[];

  beforeAll(async () => {
    const file = conversation('recorded', CONVERSATION);
    const { code, stdout, stderr } = await stack.run(`simulate --json --patience 6 ${file}`);
    expect(code, stdout + stderr).toBe(0);
    const [call] = (JSON.parse(stdout.trim()) as ConversationReport).calls;
    id = call?.callId ?? '';
    lines = call?.lines ?? [];
  });

  it('leaves what both sides said, each on its channel, in order and in step', async () => {
    await callOf(id);
    const response = await stack.request('GET', `/api/calls/${id}/recording`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('audio/wav');
    const file = Buffer.from(await response.arrayBuffer());
    const [caller, agent] = [await heardOn(file, 0), await heardOn(file, 1)];
    expect(caller.map(({ text }) => text)).toEqual([LINES.hours, LINES.enough, LINES.no]);
    expect(agent.map(({ text }) => text)).toEqual([
      LINES.greeting,
      LINES.long,
      LINES.more,
      LINES.goodbye,
    ]);

    // The telephone heard and spoke the same, at the same times: but for the way there, some 0.3 s at most.
    for (const [who, heard] of [
      ['caller', caller],
      ['agent', agent],
    ] as const) {
      const spoken = lines.filter((line) => line.who === who);
      expect(spoken.map(({ text }) => text)).toEqual(heard.map(({ text }) => text));
      for (const [index, { startedAt }] of heard.entries()) {
        expect(Math.abs(startedAt - spoken[index]!.startedAt), `${who} ${index}`).toBeLessThan(600);
      }
    }

    // What the interruption cut off is not there.
    const [broken, atPhone] = [agent[1]!, lines.find(({ text }) => text === LINES.long)!];
    expect(broken.heardTo).toBeLessThan(0.7);
    expect(Math.abs(broken.heardTo - (atPhone.part?.to ?? 1))).toBeLessThan(0.15);
  });

  it('leaves one file, which its owner alone can read, and tells its length', async () => {
    const { timeline } = await callOf(id);
    const recorded = timeline.find(({ type }) => type === 'call.recorded')?.data;
    const [file = '', ...others] = recordings().filter((name) => !name.includes(abandoned));
    expect(others).toEqual([]);
    expect(file).toMatch(new RegExp(`^\\d{4}/\\d\\d/\\d\\d/${id}\\.wav$`));
    const found = statSync(path.join(kept, file));
    expect(found.mode & 0o777).toBe(0o600);
    for (const above of ['..', '../..', '../../..'])
      expect(statSync(path.join(kept, file, above)).mode & 0o777).toBe(0o700);
    expect(recorded?.bytes).toBe(found.size);
    expect(recorded?.durationMs).toBeCloseTo((found.size - HEADER_BYTES) / 16, 0);
    const spokenMs = Math.max(...lines.map(({ endedAt }) => endedAt));
    expect(recorded?.durationMs).toBeGreaterThan(spokenMs - 1000);
  });

  it('tells what the call used of its vendors, as they served it', async () => {
    const { timeline } = await callOf(id);
    const usage = timeline.flatMap(({ data }) => data.usage ?? []);
    const served = (await (
      await fetch(`${stack.info.simulatorUrl}/simulator/served`, {
        headers: { 'x-api-key': stack.info.apiKey },
      })
    ).json()) as Record<'stt' | 'llm' | 'tts', Record<string, number>>;
    expect(usage.map(({ component }) => component)).toEqual(['stt', 'llm', 'tts']);
    const of = (component: string) => usage.find((one) => one.component === component);
    expect(of('llm')).toEqual({
      component: 'llm',
      provider: 'simulator',
      model: 'simulator',
      inputTokens: served.llm['inputTokens'],
      cachedTokens: 0,
      outputTokens: served.llm['outputTokens'],
    });
    expect(of('tts')).toMatchObject({
      provider: 'simulator',
      characters: served.tts['characters'],
    });
    // The framework counts in chunks of 100 ms: of each request the last one, which is not full, is left out.
    const less = (component: 'stt' | 'tts') =>
      served[component]['audioMs']! - Number(of(component)?.['audioMs']);
    expect(Math.abs(less('stt'))).toBeLessThan(200);
    expect(less('tts')).toBeGreaterThanOrEqual(-2);
    expect(less('tts')).toBeLessThan(100 * served.tts['requests']!);
  });
});

describe('what was recorded when a machine died', () => {
  it('is finished by the next worker that starts, and can be listened to', async () => {
    const length = await eventually(async () => {
      const { status, headers } = await stack.request('HEAD', `/api/calls/${abandoned}/recording`);
      return status === 200 ? headers.get('content-length') : undefined;
    });
    expect(length).toBe(String(HEADER_BYTES + 2 * RATE));
    expect(recordings()).toContain(recordingFile(abandoned));
  });
});

describe('a call whose process is killed', () => {
  it('keeps what was recorded until then', async () => {
    const file = conversation('killed', {
      ...CONVERSATION,
      steps: [
        { agent: { says: LINES.greeting } },
        { caller: { says: LINES.hours } },
        { agent: { says: LINES.long } },
      ],
      expect: {},
    });
    const before = recordings();
    let report: { stdout: string; stderr: string } | undefined;
    const simulated = stack.run(`simulate --json --patience 6 ${file}`);
    void simulated.then((ended) => (report = ended));
    const part = await eventually(() => {
      if (report) throw new Error(`the call was over too soon:\n${report.stdout}${report.stderr}`);
      const found = recordings().find((name) => name.endsWith('.part'));
      if (found === undefined) return undefined;
      const { size } = statSync(path.join(kept, found));
      return size > 5 * 2 * RATE ? found : undefined;
    });
    process.kill(writerOf(part), 'SIGKILL');
    await simulated;
    const id = path.basename(part, '.wav.part');
    await callOf(id);
    const response = await stack.request('GET', `/api/calls/${id}/recording`);
    expect(response.status).toBe(200);
    const heard = await heardOn(Buffer.from(await response.arrayBuffer()), 1);
    expect(heard[0]?.text).toBe(LINES.greeting);
    expect(recordings().toSorted()).toEqual([...before, part.replace('.part', '')].toSorted());
  });
});

describe('a personality that does not record', () => {
  it('leaves no file, and says so', async () => {
    const before = recordings();
    const file = conversation('unrecorded', {
      name: 'A call that is not recorded',
      order: {
        to_number: '+12025550100',
        personality: 'appointment_reminder',
        variables: { name: 'Anna' },
      },
      callee: { answers_after_ms: 500 },
      steps: [
        { agent: { says: 'Hello Anna, this is Trunkline Dental about your appointment.' } },
        { caller: { hangs_up: true } },
      ],
    });
    const { code, stdout, stderr } = await stack.run(`simulate --json --patience 6 ${file}`);
    expect(code, stdout + stderr).toBe(0);
    const id = (JSON.parse(stdout.trim()) as ConversationReport).calls[0]?.callId ?? '';
    await callOf(id);
    const response = await stack.request('GET', `/api/calls/${id}/recording`);
    expect(response.status).toBe(404);
    expect(recordings()).toEqual(before);
  });
});
