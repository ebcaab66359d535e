import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import pino from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { formatProblem } from '../platform/yaml-file.ts';
import { openPersonalities, type Personalities } from './personalities.ts';
import { createFixture, plainPersonality, type Fixture } from './personality-fixture.ts';

type Line = { level: number; msg: string; problem?: string; personalities?: string[] };

const opened: { fixture: Fixture; personalities: Personalities }[] = [];
afterEach(() => {
  for (const { fixture, personalities } of opened.splice(0)) {
    personalities.close();
    fixture.remove();
  }
});

async function open(fixture = createFixture()) {
  const lines: Line[] = [];
  const log = pino(
    { level: 'debug' },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );
  const options = { config: fixture.config, log, watch: true, pollMs: 20 };
  const personalities = await openPersonalities(options);
  opened.push({ fixture, personalities });
  const problems = () => personalities.problems().map(formatProblem);
  return { fixture, personalities, lines, problems };
}

const named = (name: string) => plainPersonality.replace('name: Test', `name: ${name}`);

describe('openPersonalities', () => {
  it('loads all, in the order of their keys', async () => {
    const fixture = createFixture();
    fixture.write('agents/also.yml', plainPersonality);
    const { personalities, problems } = await open(fixture);
    expect(personalities.list().map(({ key }) => key)).toEqual(['also', 'test']);
    expect(problems()).toEqual([]);
  });

  it('picks up a changed file, a changed prompt and a new file', async () => {
    const { fixture, personalities } = await open();
    fixture.write('agents/test.yaml', named('Other'));
    await vi.waitFor(() => expect(personalities.get('test')?.name).toBe('Other'));
    fixture.write('prompts/hello.md', 'Now of {{ shop }}');
    await vi.waitFor(() =>
      expect(personalities.get('test')?.prompts.inbound.text).toBe('Now of {{ shop }}'),
    );
    fixture.write('agents/new.yaml', named('New'));
    await vi.waitFor(() => expect(personalities.get('new')?.name).toBe('New'));
  });

  it('picks up a file that an editor saves by renaming another over it', async () => {
    const { fixture, personalities } = await open();
    fixture.write('agents/.test.yaml.swp', named('Renamed'));
    renameSync(
      path.join(fixture.root, 'agents/.test.yaml.swp'),
      path.join(fixture.root, 'agents/test.yaml'),
    );
    await vi.waitFor(() => expect(personalities.get('test')?.name).toBe('Renamed'));
  });

  it('keeps the last good version of a broken file, and says so once', async () => {
    const { fixture, personalities, lines, problems } = await open();
    const before = personalities.get('test');
    fixture.write('agents/test.yaml', `${plainPersonality}greting: Hi\n`);
    await vi.waitFor(() =>
      expect(problems()).toEqual([
        'agents/test.yaml:7:1: greting: is not a known key; did you mean greeting?',
      ]),
    );
    expect(personalities.get('test')).toBe(before);
    fixture.write('agents/other.yaml', named('Other'));
    await vi.waitFor(() => expect(personalities.get('other')).toBeDefined());
    expect(lines.filter(({ problem }) => problem !== undefined)).toHaveLength(1);

    fixture.write('agents/test.yaml', named('Mended'));
    await vi.waitFor(() => expect(personalities.get('test')?.name).toBe('Mended'));
    expect(problems()).toEqual([]);
    expect(lines.at(-1)?.msg).toBe('all personalities are good again');
  });

  it('keeps those whose prompt breaks, and whose prompts.yaml vanishes', async () => {
    const { fixture, personalities, problems } = await open();
    fixture.write('prompts/hello.md', 'of {{ shop');
    await vi.waitFor(() => expect(problems()[0]).toMatch(/^prompts\/hello\.md:1:4: /));
    expect(personalities.get('test')?.prompts.inbound.text).toBe('You work for {{ shop }}.\n');
    rmSync(path.join(fixture.root, 'prompts/prompts.yaml'));
    await vi.waitFor(() =>
      expect(problems()).toEqual(['prompts/prompts.yaml:1:1: cannot be read']),
    );
    expect(personalities.get('test')?.name).toBe('Test');
  });

  it('keeps one whose file vanishes, and one whose folder does', async () => {
    const { fixture, personalities, problems } = await open();
    rmSync(path.join(fixture.root, 'agents/test.yaml'));
    await vi.waitFor(() =>
      expect(problems()[0]).toContain('agents/test.yaml:1:1: the file is gone'),
    );
    expect(personalities.get('test')?.name).toBe('Test');
    rmSync(path.join(fixture.root, 'agents'), { recursive: true });
    await vi.waitFor(() => expect(problems()[0]).toBe('agents:1:1: cannot be read'));
    expect(personalities.get('test')?.name).toBe('Test');
  });

  it('starts with what is good, and reports the rest', async () => {
    const fixture = createFixture();
    fixture.write('agents/broken.yaml', 'name: [');
    fixture.write('agents/test.yml', plainPersonality);
    fixture.write('agents/My Bot.yaml', plainPersonality);
    const { personalities, problems } = await open(fixture);
    expect(personalities.list().map(({ key }) => key)).toEqual(['test']);
    expect(problems().map((line) => line.split(': ')[0])).toEqual([
      'agents/broken.yaml:1:8',
      'agents/My Bot.yaml:1:1',
      'agents/test.yml:1:1',
    ]);
  });

  it('warns loudly, once, of those that fall back to the simulator', async () => {
    const fixture = createFixture();
    fixture.write('agents/test.yaml', named('Test').replaceAll('simulator', 'openai'));
    const { personalities, lines } = await open(fixture);
    expect(personalities.get('test')?.simulated).toBe(true);
    fixture.write('agents/test.yaml', named('Again').replaceAll('simulator', 'openai'));
    await vi.waitFor(() => expect(personalities.get('test')?.name).toBe('Again'));
    const warnings = lines.filter(({ level }) => level === 40);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.personalities).toEqual(['test']);
    expect(warnings[0]?.msg).toContain('SIMULATOR');
  });

  it('writes nothing of a prompt into the log', async () => {
    const { fixture, personalities, lines } = await open();
    fixture.write('prompts/hello.md', 'The secret recipe of {{ shop }}');
    await vi.waitFor(() =>
      expect(personalities.get('test')?.prompts.inbound.text).toMatch(/recipe/),
    );
    expect(JSON.stringify(lines)).not.toContain('recipe');
  });
});
