import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../call/ledger/testing.ts';
import { freePort } from '../../platform/testing/free-port.ts';
import { SpeechBusy, SpeechHost } from './speech-host.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const line = readFileSync(path.join(import.meta.dirname, 'fixtures/line.wav'));
const LONG_MS = 30_000;

describe('the process that speaks', () => {
  let host: SpeechHost;
  let environment: Record<string, string | undefined>;
  beforeEach(async () => {
    environment = {
      ...process.env,
      API_KEY: 'key-of-the-api-0123456789',
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'secret-of-livekit-0123456789-0123456789',
      // No vendor is there.
      SIMULATOR_URL: `http://127.0.0.1:${await freePort()}`,
      LOG_LEVEL: 'error',
    };
    host = new SpeechHost({ cwd: root, environment, log: silentLog });
  });
  afterEach(async () => host.close());

  const request = { personality: 'receptionist', variables: {} };

  it('names the vendor that failed', async () => {
    const turn = host.begin();
    await turn.push(line);
    await expect(turn.answer(request)).rejects.toMatchObject({
      failure: { kind: 'vendor_failed', detail: expect.stringMatching(/^simulator \(stt\) /) },
    });
    turn.end();
  });

  it('tells of sound that is none while it still comes', async () => {
    const turn = host.begin();
    await turn.push(Buffer.alloc(1000, 'no sound'));
    await expect(turn.failed).rejects.toMatchObject({ failure: { kind: 'unknown_format' } });
    turn.end();
  });

  it('has one process for all turns, and refuses more than four at a time', async () => {
    const turns = [host.begin(), host.begin(), host.begin(), host.begin()];
    const { pid } = host;
    expect(() => host.begin()).toThrow(SpeechBusy);
    turns[0]?.end();
    const next = host.begin();
    expect(host.pid).toBe(pid);
    for (const turn of [...turns.slice(1), next]) turn.end();
  });

  it('fails the turns of a process that is killed, and starts another for the next', async () => {
    const turn = host.begin();
    await turn.push(line);
    const killed = host.pid ?? 0;
    process.kill(killed, 'SIGKILL');
    await expect(turn.failed).rejects.toMatchObject({ failure: { kind: 'lost' } });
    turn.end();
    const next = host.begin();
    expect(host.pid).not.toBe(killed);
    await next.push(Buffer.alloc(1000, 'no sound'));
    await expect(next.failed).rejects.toMatchObject({ failure: { kind: 'unknown_format' } });
    next.end();
  });

  it('ends when nobody needs it any more, and leaves nothing', async () => {
    const brief = new SpeechHost({ cwd: root, environment, log: silentLog, idleMs: 1 });
    const turn = brief.begin();
    const pid = brief.pid ?? 0;
    expect(() => process.kill(pid, 0)).not.toThrow();
    turn.end();
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), LONG_MS);
    await brief.close();
  });
});
