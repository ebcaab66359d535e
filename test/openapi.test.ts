import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { databaseMaker, type DatabaseMaker } from '../src/call/ledger/testing.ts';
import { API_KEY, startTestApi, type TestApi } from '../src/api/testing.ts';
import { schemathesisPath } from '../src/stack/setup/schemathesis.ts';

const root = path.resolve(import.meta.dirname, '..');

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

/** The api alone: no dispatcher, so that no order is ever dialled. */
let maker: DatabaseMaker;
let api: TestApi;
let url: string;
let folder: string;

beforeAll(async () => {
  // For the process that decodes what is uploaded.
  const variables = {
    API_KEY,
    LIVEKIT_API_KEY: 'key',
    LIVEKIT_API_SECRET: 'secret-of-livekit-0123456789-0123456789',
    AGENTS_DIR: path.join(root, 'agents'),
    PROMPTS_DIR: path.join(root, 'prompts'),
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  folder = mkdtempSync(path.join(tmpdir(), 'trunkline-openapi-'));
  maker = await databaseMaker('embedded');
  api = await startTestApi(async () => maker.open(), undefined, {
    // It sends many that are wrong, and wants to hear each time that they are.
    WRONG_KEYS_PER_MINUTE: '1000000',
  });
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await api.close();
  await maker.remove();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Lets schemathesis try out every operation by its description; what it found wrong. */
async function tryOut(
  options: string[],
  signal: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(
    schemathesisPath(),
    [
      `--config-file=${path.join(root, 'tools/schemathesis/schemathesis.toml')}`,
      'run',
      `${url}/openapi.json`,
      '--seed=1',
      '--no-color',
      '--continue-on-failure',
      '--warnings=off',
      '--request-timeout=20',
      // A slow machine is no fault of the API.
      '--suppress-health-check=all',
      ...options,
    ],
    // It keeps what it found there, for the next run.
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' },
  );
  // A test that takes too long ends it.
  child.on('error', (error) => (output += error.message));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

describe('the API, tried out by its OpenAPI document', { timeout: 600_000 }, () => {
  it('answers only as it is described', async ({ signal }) => {
    const { code, output } = await tryOut(
      [
        `--header=X-API-Key: ${API_KEY}`,
        '--max-examples=10',
        '--phases=examples,coverage,fuzzing',
        // A good answer of these does not end; src/api/live has tests of its own.
        '--exclude-path-regex=^/api/live(/events)?$',
      ],
      signal,
    );
    expect(code, output).toBe(0);
  });

  it('answers only as it is described to those without a key', async ({ signal }) => {
    const { code, output } = await tryOut(
      [`--checks=${CHECKS.join(',')}`, '--max-examples=3', '--phases=fuzzing'],
      signal,
    );
    expect(code, output).toBe(0);
  });
});
