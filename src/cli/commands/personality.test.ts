import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createFixture,
  plainPersonality,
  type Fixture,
} from '../../personality/personality-fixture.ts';
import { startVendorStandIn } from '../../personality/providers/vendor-stand-in.ts';

const main = path.resolve(import.meta.dirname, '../main.ts');

let fixture: Fixture;
beforeEach(() => {
  fixture = createFixture();
});
afterEach(() => fixture.remove());

type Ran = { code: number; out: string; err: string };

/** The command as a person runs it, in the fixture's folder, without a word of configuration. */
function run(args: string[], environment: Record<string, string> = {}): Promise<Ran> {
  const env = { PATH: process.env['PATH'] ?? '', ...environment };
  return new Promise((resolve) => {
    const command = [main, 'personality', ...args];
    execFile(process.execPath, command, { cwd: fixture.root, env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

describe('trunkline personality', () => {
  it('check prints every problem with its place and exits 1', async () => {
    fixture.write('agents/other.yaml', `${plainPersonality}greting: Hi\n`);
    const { code, out } = await run(['check']);
    expect(code).toBe(1);
    expect(out).toContain('✗ agents/other.yaml:7:1: greting: is not a known key');
    expect(out).toContain('✓ test  (on the simulator');
    expect((await run(['check', 'test'])).code).toBe(0);
  });

  it('check --live says what is wrong with a key, and does not show it', async () => {
    const vendor = await startVendorStandIn();
    fixture.write('agents/test.yaml', plainPersonality.replaceAll('simulator', 'openai'));
    const environment = { OPENAI_API_KEY: 'sk-secret', OPENAI_BASE_URL: `${vendor.url}/v1` };
    const good = await run(['check', '--live', '--json'], environment);
    expect(JSON.parse(good.out)).toMatchObject({
      problems: [],
      personalities: [
        {
          personality: 'test',
          simulated: false,
          live: [{ ok: true, ms: expect.any(Number) }, { ok: true }, { ok: true }],
        },
      ],
    });
    expect(good.code).toBe(0);
    vendor.behave(401);
    const bad = await run(['check', '--live'], environment);
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(
      /✗ llm {2}openai +refuses the key \(status 401\)\. Check OPENAI_API_KEY/,
    );
    expect(bad.out + bad.err).not.toMatch(/sk-/);
    await vendor.close();
  });

  it('list shows who can be used, and who cannot', async () => {
    fixture.write('agents/other.yaml', 'name: [');
    const { code, out } = await run(['list', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject([
      { key: 'other', ok: false },
      { key: 'test', ok: true, name: 'Test', simulated: true },
    ]);
  });

  it('show fills in what is given, and asks for what is required', async () => {
    fixture.write(
      'prompts/prompts.yaml',
      'hello: { file: hello.md, parameters: { shop: { required: true } } }\n',
    );
    const shown = await run(['show', 'test', '--direction', 'inbound', '--var', 'shop=A & B']);
    expect(shown.out).toContain('You work for A & B.');
    const without = await run(['show', 'test', '--direction', 'inbound']);
    expect(without.code).toBe(1);
    expect(without.err).toContain('test needs the variables shop');
  });

  it('show names the personalities that there are, in one line and without a stack', async () => {
    const { code, err } = await run(['show', 'tset']);
    expect(code).toBe(1);
    expect(err).toBe('There is no personality tset.\n  Did you mean test?\n');
  });

  it('schema writes what editors read', async () => {
    expect((await run(['schema'])).code).toBe(0);
    const schema = JSON.parse(readFileSync(path.join(fixture.root, 'agents/schema.json'), 'utf8'));
    expect(schema).toMatchObject({ title: 'A personality of Trunkline' });
  });
});
