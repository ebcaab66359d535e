import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';

const root = path.resolve(import.meta.dirname, '..');
/** What a clone holds, less what is of no use to the start script. */
const parts = [
  '.env.example',
  'agents',
  'prompts',
  'bin',
  'src',
  'start_scripts',
  'package.json',
  'package-lock.json',
];

let clone: string;
beforeAll(() => {
  clone = mkdtempSync(path.join(tmpdir(), 'trunkline-clone-'));
  for (const part of parts)
    cpSync(path.join(root, part), path.join(clone, part), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(clone, 'node_modules'));
});
afterAll(() => rmSync(clone, { recursive: true }));

/** Starts the script; what it needs is found by the processes that it leaves, which carry the clone's path. */
function start(...args: string[]): { child: ChildProcess; said: () => string } {
  const child = spawn(path.join(clone, 'start_scripts/start.sh'), [...args, '--ports', 'auto'], {
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, said: () => text };
}

/** Processes whose environment names the clone: everything that the script started inherits it. */
function left(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`DATA_DIR=${clone}`);
    } catch {
      return false;
    }
  });
}

describe('start.sh', () => {
  it('places the demo call, prints what was recognised, leaves its sound and stops everything', async () => {
    const { child, said } = start('--demo');
    const [code] = (await once(child, 'close')) as [number];
    expect(code, said()).toBe(0);
    expect(said()).toMatch(/route +native/);
    expect(said()).toMatch(/agent +“.+recognised from the sound/);
    expect(said()).toMatch(/caller +“/);
    expect(left()).toEqual([]);
    const sound = path.join(clone, 'data/recordings/demo.wav');
    expect(readFileSync(sound).subarray(0, 4).toString()).toBe('RIFF');
    expect(statSync(sound).size).toBeGreaterThan(100_000);
    expect(statSync(path.join(clone, '.env')).mode & 0o077, '.env is the owner’s only').toBe(0);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves no process behind when %s comes while it starts',
    async (signal) => {
      const { child, said } = start();
      await eventually(() => (said().includes('✓ redis') ? true : undefined));
      child.kill(signal);
      await once(child, 'close');
      expect(left()).toEqual([]);
      expect(existsSync(path.join(clone, 'data/stack.json'))).toBe(false);
    },
  );

  it('starts a second time with the same secrets, says where things are, and stops on Ctrl-C', async () => {
    const secrets = readFileSync(path.join(clone, '.env'), 'utf8');
    const { child, said } = start();
    await eventually(() => (said().includes('Try next') ? true : undefined));
    expect(readFileSync(path.join(clone, '.env'), 'utf8')).toBe(secrets);
    expect(said()).toMatch(/agent +“.+recognised from the sound/);
    expect(said()).toContain('/api/outbound-call');
    expect(said()).toContain('bin/trunkline simulate');
    expect(said()).toContain('bin/trunkline watch');
    expect(left().length).toBeGreaterThan(7);
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    expect(code, said()).toBe(0);
    expect(left()).toEqual([]);
  });

  it('says in one sentence what is wrong with .env', async () => {
    appendFileSync(path.join(clone, '.env'), 'OPENAI_APIKEY=x\n');
    const { child, said } = start();
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    expect(said()).toContain(
      'OPENAI_APIKEY: is not a variable of Trunkline; did you mean OPENAI_API_KEY?',
    );
    expect(said(), 'no stack is shown').not.toMatch(/\n +at /);
  });
});
