import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildSimulator } from './app.ts';
import type { ConversationEvent } from './conversation/report.ts';
import { LedgerClient } from './conversation/ledger-client.ts';
import { SipPhone } from './phone/sip-phone.ts';
import { resample } from './resample.ts';
import { Speech } from './speech.ts';
import { Telephones } from './telephones.ts';

const program = path.resolve(import.meta.dirname, '../../bin/trunkline');
const log = pino({ level: 'silent' });
const GREETING = 'Good morning, you have reached the far end.';
const NUMBER = '+12025550110';

/** The simulator with its own phone; the far end is a second phone, whose voice is the TTS's stand-in. */
describe('the simulator', () => {
  let app: FastifyInstance;
  let phone: SipPhone;
  let far: SipPhone;
  let folder: string;
  const answering = new Set<Promise<void>>();
  let over = new AbortController();
  const url = () => `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'trunkline-simulator-'));
    phone = await SipPhone.open({ address: '127.0.0.1:0', log });
    far = await SipPhone.open({ address: '127.0.0.1:0', log });
    app = await buildSimulator({
      speech: new Speech(),
      phone,
      telephony: new Telephones({
        phone,
        trunkHost: far.address,
        dialLoopback: () => Promise.reject(new Error('there is no loopback trunk here')),
      }),
      ledger: new LedgerClient({ url: 'http://127.0.0.1:1', apiKey: 'none' }),
      controlKey: undefined,
      log,
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    // A call that never came would be waited for in vain.
    over.abort(new Error('the test is over'));
    await Promise.allSettled(answering);
    over = new AbortController();
    expect(phone.open).toMatchObject({ calls: 0, expectations: 0 });
  });
  afterAll(async () => {
    await app.close();
    await far.close();
    await phone.close();
    await rm(folder, { recursive: true });
  });

  /** The far end answers the next call and says this. */
  function answerWith(text: string): void {
    const answer = async () => {
      const leg = await far.expect({ to: NUMBER }, { kind: 'answer', afterMs: 200 }, over.signal);
      const response = await fetch(`${url()}/v1/audio/speech`, {
        method: 'POST',
        headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'sim-tts',
          voice: 'alloy',
          input: text,
          response_format: 'pcm',
        }),
      });
      expect(response.status).toBe(200);
      const sound = new Int16Array(await response.arrayBuffer());
      await leg.answered;
      await leg.play(resample(sound, 24_000, 16_000));
      await leg.ended;
    };
    const done = answer();
    done.catch(() => undefined).finally(() => answering.delete(done));
    answering.add(done);
  }

  async function post(yaml: string, query = ''): Promise<{ status: number; text: string }> {
    const response = await fetch(`${url()}/simulator/conversations${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/yaml' },
      body: yaml,
    });
    return { status: response.status, text: await response.text() };
  }

  const conversation = (says: string) =>
    `call: { to: "${NUMBER}" }\nsteps:\n  - agent: { says: "${says}", within_ms: 2000 }\n`;

  it('tells a conversation over real SIP and RTP line by line, and its report last', async () => {
    answerWith(GREETING);
    const { text } = await post(conversation(GREETING), '?file=hello.yaml&record=true');
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ConversationEvent);
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['started', 'note', 'line', 'check', 'recording', 'report']),
    );
    const last = events.at(-1);
    expect(last).toMatchObject({ type: 'report', report: { name: 'hello.yaml', passed: true } });
    expect(text).not.toContain(NUMBER.slice(1));
  });

  it('names every problem of a conversation with its line and column', async () => {
    const { status, text } = await post('call: { to: "12" }\nstep: []\n', '?file=bad.yaml');
    expect(status).toBe(400);
    const { problems } = JSON.parse(text) as { problems: string[] };
    expect(problems).toEqual([
      expect.stringMatching(/^bad\.yaml:1:13: call\.to: must be E\.164/),
      expect.stringMatching(/^bad\.yaml:2:1: step: is not a known key/),
    ]);
  });

  it('takes the same as JSON', async () => {
    answerWith(GREETING);
    const response = await fetch(`${url()}/simulator/conversations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ call: { to: NUMBER }, steps: [{ agent: { says: GREETING } }] }),
    });
    expect(await response.text()).toContain('"passed":true');
  });

  it('gives the line back when the client goes away', async () => {
    answerWith(GREETING);
    const left = new AbortController();
    const response = await fetch(`${url()}/simulator/conversations`, {
      method: 'POST',
      headers: { 'content-type': 'application/yaml' },
      body: `${conversation(GREETING)}  - caller: { silence_ms: 60000 }\n`,
      signal: left.signal,
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let told = ''; !told.includes('answered after');) {
      told = (await reader?.read())?.value ?? '';
    }
    expect(phone.open.calls).toBe(1);
    left.abort();
    await expect.poll(() => phone.open.calls, { timeout: 10_000 }).toBe(0);
  });

  it('counts the calls that reach its phone', async () => {
    const to = '+12025550186';
    const before = await fetch(`${url()}/simulator/phone/invites?to=${encodeURIComponent(to)}`);
    expect(await before.json()).toEqual({ invites: [] });
    const leg = await far.call({ to, from: NUMBER, trunkHost: phone.address });
    expect(await leg.ended).toMatchObject({ status: 486 });
    const after = await fetch(`${url()}/simulator/phone/invites?to=${to}`);
    const { invites } = (await after.json()) as { invites: { toMasked: string }[] };
    expect(invites).toHaveLength(1);
    expect(JSON.stringify(invites)).not.toContain(to.slice(1));
  });

  it('sets and mends the faults of the vendors', async () => {
    const set = await fetch(`${url()}/simulator/faults`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tts: { status: 503 } }),
    });
    expect(await set.json()).toEqual({ stt: {}, llm: {}, tts: { status: 503 } });
    const refused = await fetch(`${url()}/simulator/faults`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tts: { slow: true } }),
    });
    expect(refused.status).toBe(400);
    const mended = await fetch(`${url()}/simulator/faults`, { method: 'DELETE' });
    expect(await mended.json()).toEqual({ stt: {}, llm: {}, tts: {} });
  });

  describe('trunkline simulate', () => {
    async function simulate(
      ...args: string[]
    ): Promise<{ code: number; out: string; err: string }> {
      const child = spawn(program, ['simulate', '--url', url(), ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [out, err] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
      const [code] = (await once(child, 'close')) as [number];
      return { code, out, err };
    }

    it('prints what was said and heard, leaves it as sound, and exits 0', async () => {
      const file = path.join(folder, 'good.yaml');
      await writeFile(file, conversation(GREETING));
      answerWith(GREETING);
      const { code, out, err } = await simulate(file, '--record', folder, '--patience', '3');
      expect(err).toBe('');
      expect(code).toBe(0);
      expect(out).toContain('(at most 6,000 ms)');
      expect(out).toMatch(/agent {3}“Good morning.*recognised from the sound, \d+ %/);
      expect((await readFile(path.join(folder, 'good.wav'))).subarray(0, 4).toString()).toBe(
        'RIFF',
      );
    });

    it('exits 1 and says what was heard instead', async () => {
      const file = path.join(folder, 'other.yaml');
      await writeFile(file, conversation('Nobody says this.'));
      answerWith(GREETING);
      const { code, out } = await simulate(file, '--json');
      expect(code).toBe(1);
      const report = JSON.parse(out) as { passed: boolean; calls: { lines: { text: string }[] }[] };
      expect(report.passed).toBe(false);
      expect(report.calls[0]?.lines[0]?.text).toBe(GREETING);
    });

    it('names what is wrong with a file, or that it is missing', async () => {
      const file = path.join(folder, 'broken.yaml');
      await writeFile(file, 'steps: 3\n');
      const broken = await simulate(file);
      expect(broken.code).toBe(1);
      expect(broken.err).toContain(`${file}:1:8: steps: `);
      const missing = await simulate(path.join(folder, 'none.yaml'));
      expect(missing.err).toContain('cannot be read');
    });
  });
});
