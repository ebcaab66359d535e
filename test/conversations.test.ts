import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

const folder = path.join(import.meta.dirname, 'conversations');
const files = readdirSync(folder).map((name) => path.join(folder, name));
/** Holds several calls at once by itself. */
const crowded = path.join(folder, 'two_calls.yaml');
const demo = path.resolve(import.meta.dirname, '../src/simulator/demo.yaml');

/** The limits of a conversation are promises to callers; a busy test machine is given more time. */
const PATIENT = 6;
/** Where nothing comes, nothing is gained by waiting long. */
const IMPATIENT = 2;

let stack: StackFixture;
let drafts: string;
const printed: string[] = [];

beforeAll(async () => {
  drafts = mkdtempSync(path.join(tmpdir(), 'conversations-'));
  stack = await StackFixture.start({ RING_TIMEOUT_SECONDS: '8' });
});
afterAll(async () => {
  await stack.stop();
  rmSync(drafts, { recursive: true });
});

async function simulate(file: string, patience: number): Promise<{ code: number; report: string }> {
  const { code, stdout, stderr } = await stack.run(`simulate --patience ${patience} ${file}`);
  printed.push(stdout, stderr);
  return { code, report: stdout + stderr };
}

/** The beginning of a conversation, as far as the first answer, with something changed. */
function beginning(file: string, change: Record<string, unknown>): string {
  const draft = path.join(
    drafts,
    `${JSON.stringify(change).replaceAll(/\W+/g, '-')}${path.basename(file)}`,
  );
  const whole = parse(readFileSync(file, 'utf8')) as { steps: unknown[] };
  const steps = [...whole.steps.slice(0, 3), { caller: { hangs_up: true } }];
  writeFileSync(draft, stringify({ ...whole, steps, expect: {}, ...change }));
  return draft;
}

// Each conversation mostly waits for what the other side says: two at a time are as true as one.
describe.concurrent('a conversation over real SIP', () => {
  it.each(
    files.filter((file) => file !== crowded).map((file) => [path.basename(file, '.yaml'), file]),
  )('takes place: %s', async (_name, file) => {
    const { code, report } = await simulate(file, PATIENT);
    expect(code, report).toBe(0);
  });
});

describe('a conversation that has the machine to itself', () => {
  it('can be watched: who speaks, and what is said, while it is said', async () => {
    const watching = new AbortController();
    const response = await stack.request('GET', '/api/live/events');
    const seen: { type: string; [field: string]: unknown }[] = [];
    const reader = (async () => {
      let text = '';
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream(), watching)) {
        const lines = (text + chunk).split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) {
          if (line.startsWith('data: ')) seen.push(JSON.parse(line.slice(6)) as (typeof seen)[0]);
        }
      }
    })().catch(() => undefined);
    const { code, report } = await simulate(path.join(folder, 'inbound.yaml'), PATIENT);
    expect(code, report).toBe(0);
    const ended = () => seen.find(({ type }) => type === 'call_ended');
    const call = (await eventually(async () => ended()))['call'];
    watching.abort();
    await reader;
    expect(seen[0]?.type).toBe('hello');
    const own = seen.filter((message) => message['call'] === call);
    expect(own[0]).toMatchObject({ type: 'call_started', direction: 'inbound' });
    const words = own.filter(({ type }) => type === 'conversation_turn');
    const spoken = (role: string, final: boolean) =>
      words.filter((message) => message['role'] === role && message['final'] === final);
    for (const role of ['caller', 'agent']) {
      expect(spoken(role, false).length, `interim words of the ${role}`).toBeGreaterThan(0);
      expect(spoken(role, true).length, `turns of the ${role}`).toBeGreaterThan(0);
    }
    const agent = new Set(own.map((message) => message['agent']));
    for (const state of ['listening', 'thinking', 'speaking']) expect(agent).toContain(state);
    expect(own.some((message) => message['caller'] === 'speaking')).toBe(true);
  });

  it('takes place: two_calls', async () => {
    const { code, report } = await simulate(crowded, PATIENT);
    expect(code, report).toBe(0);
  });

  it('takes place over the loopback trunk: the demo', async () => {
    const { code, report } = await simulate(demo, PATIENT);
    expect(code, report).toBe(0);
    expect(report).toContain('recognised from the sound');
  });
});

/** What is cut off, and what the report then says was missing. */
const muted: [string, Record<string, unknown>][] = [
  ['the caller hears nothing', { mute: 'receive' }],
  ['the caller is not heard', { mute: 'send' }],
];
const vendors: [string, Record<string, unknown>][] = [
  ['the recogniser is cut off', { faults: { stt: { drop: true } } }],
  ['the language model is cut off', { faults: { llm: { drop: true } } }],
  ['the voice is cut off', { faults: { tts: { drop: true } } }],
];

async function expectFailure(file: string, change: Record<string, unknown>): Promise<void> {
  const { code, report } = await simulate(beginning(file, change), IMPATIENT);
  expect(code, report).toBe(1);
  // The conversation was held and found wanting; a tool that broke would say something else.
  expect(report).toMatch(/: failed, \d+ of \d+ checks/);
  expect(report).toMatch(/✗ .*(heard|sound|nothing|expected|silent)/);
}

describe.concurrent('muting a direction', () => {
  const inbound = path.join(folder, 'inbound.yaml');
  it.each(muted)('makes a conversation fail: %s', (_what, change) =>
    expectFailure(inbound, change),
  );
  it('is all that does: its beginning takes place when nothing is cut', async () => {
    const { code, report } = await simulate(beginning(inbound, {}), PATIENT);
    expect(code, report).toBe(0);
  });
});

describe('cutting off', () => {
  // Faults meet every call of the simulator, so these come one after the other.
  it.each(vendors)('a vendor makes a conversation fail: %s', (_what, change) =>
    expectFailure(path.join(folder, 'inbound.yaml'), change),
  );
  it.each([...muted, ...vendors.slice(-1)])('makes the demo fail: %s', (_what, change) =>
    expectFailure(demo, change),
  );
});

describe('after all these calls', () => {
  it('nothing of them remains: no room, no live call, no seat', async () => {
    await eventually(async () => {
      const health = (await (await stack.request('GET', '/health')).json()) as {
        services: { agents: { message: string } };
      };
      return / 0 of /.test(health.services.agents.message) ? true : undefined;
    });
    const { Redis } = await import('ioredis');
    const redis = new Redis(stack.info.redisUrl);
    try {
      await eventually(async () => ((await redis.hlen('trunkline:live')) === 0 ? true : undefined));
      expect(await redis.keys('trunkline:trunk:*:calls')).toEqual([]);
      await eventually(async () => ((await redis.hlen('rooms')) === 0 ? true : undefined));
    } finally {
      redis.disconnect();
    }
  });

  it('no log and no report holds a number that was used', () => {
    const used = new Set<string>();
    for (const file of [...files, demo]) {
      for (const match of readFileSync(file, 'utf8').matchAll(/\+(\d{7,15})/g))
        used.add(match[1] ?? '');
    }
    expect(used.size).toBeGreaterThan(5);
    const written: Record<string, string> = { ...stack.logs(), reports: printed.join('\n') };
    expect(Object.keys(written).length).toBeGreaterThan(8);
    for (const [name, text] of Object.entries(written)) {
      expect(text.length, name).toBeGreaterThan(0);
      const lines = text
        .split('\n')
        .filter((line) => [...used].some((number) => line.includes(number)));
      expect(lines, name).toEqual([]);
    }
  });
});
