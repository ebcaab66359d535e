import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually } from './eventually.ts';
import { StackFixture } from './stack-fixture.ts';

const folder = path.join(import.meta.dirname, 'conversations');
const files = readdirSync(folder).map((name) => path.join(folder, name));
const demo = path.resolve(import.meta.dirname, '../src/simulator/demo.yaml');

/** The limits of a conversation are promises to callers; a busy test machine is given more time. */
const PATIENCE = '--patience 6';

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

async function simulate(file: string): Promise<{ code: number; report: string }> {
  const { code, stdout, stderr } = await stack.run(`simulate ${PATIENCE} ${file}`);
  printed.push(stdout, stderr);
  return { code, report: stdout + stderr };
}

/** The same conversation with something changed. */
function variant(file: string, change: Record<string, unknown>): string {
  const draft = path.join(drafts, `${Object.keys(change).join('-')}-${path.basename(file)}`);
  writeFileSync(draft, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), ...change }));
  return draft;
}

describe('a conversation over real SIP', () => {
  it.each(files.map((file) => [path.basename(file, '.yaml'), file]))(
    'takes place: %s',
    async (_name, file) => {
      const { code, report } = await simulate(file);
      expect(code, report).toBe(0);
    },
  );

  it('takes place over the loopback trunk: the demo', async () => {
    const { code, report } = await simulate(demo);
    expect(code, report).toBe(0);
    expect(report).toContain('recognised from the sound');
  });
});

describe('a conversation whose sound is cut off', () => {
  const inbound = path.join(folder, 'inbound.yaml');
  const cuts: [string, Record<string, unknown>][] = [
    ['the caller hears nothing', { mute: 'receive' }],
    ['the caller is not heard', { mute: 'send' }],
    ['the recogniser is cut off', { faults: { stt: { drop: true } } }],
    ['the language model is cut off', { faults: { llm: { drop: true } } }],
    ['the voice is cut off', { faults: { tts: { drop: true } } }],
  ];

  it.each(cuts)('fails: %s', async (_what, change) => {
    const { code, report } = await simulate(variant(inbound, change));
    expect(code, report).toBe(1);
  });

  it.each(cuts)('makes the demo fail: %s', async (_what, change) => {
    const { code, report } = await simulate(variant(demo, change));
    expect(code, report).toBe(1);
  });
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
