import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig, type Config } from '../platform/config.ts';

/** A folder of personalities and prompts for one test, with a configuration that points at it. */
export type Fixture = {
  root: string;
  config: Config;
  write: (file: string, text: string) => void;
  remove: () => void;
};

export const plainPersonality = `name: Test
components:
  stt: { provider: simulator }
  llm: { provider: simulator }
  tts: { provider: simulator }
prompts: { inbound: hello, outbound: hello }
`;

const plainPrompts = `hello:
  file: hello.md
  parameters:
    shop: { default: "the shop" }
`;

export function createFixture(environment: Record<string, string> = {}): Fixture {
  const root = mkdtempSync(path.join(tmpdir(), 'personalities-'));
  const write = (file: string, text: string) => {
    const target = path.join(root, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  };
  write('agents/test.yaml', plainPersonality);
  write('prompts/prompts.yaml', plainPrompts);
  write('prompts/hello.md', 'You work for {{ shop }}.\n');
  return {
    root,
    config: testConfig(environment, root),
    write,
    remove: () => rmSync(root, { recursive: true }),
  };
}

/** A configuration that depends on nothing of the machine. */
export function testConfig(environment: Record<string, string> = {}, root?: string): Config {
  return loadConfig({
    root: root ?? path.resolve(import.meta.dirname, '../..'),
    environment: {
      LIVEKIT_API_KEY: 'devkey',
      LIVEKIT_API_SECRET: 'devsecret-devsecret-devsecret-dev',
      API_KEY: 'test-key-of-the-api',
      ...environment,
    },
  });
}
