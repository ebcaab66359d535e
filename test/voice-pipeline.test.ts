import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StackFixture } from './stack-fixture.ts';

const fixtures = path.resolve(import.meta.dirname, '../src/api/speech/fixtures');
/** What is said in each of the fixtures, by the simulator's caller. */
const LINE = 'I would like to book a check-up, please.';

let stack: StackFixture;
beforeAll(async () => {
  stack = await StackFixture.start();
  // The simulator's ears know the lines of the conversations that it was given.
  const file = path.join(import.meta.dirname, 'conversations/inbound.yaml');
  await stack.run(`simulate --patience 6 ${file}`);
});
afterAll(async () => stack.stop());

async function send(
  name: string,
  sound: Uint8Array,
  fields: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  const form = new FormData();
  form.set('file', new Blob([Uint8Array.from(sound)]), name);
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  return fetch(`${stack.info.apiUrl}/api/voice-pipeline`, {
    method: 'POST',
    headers: { 'x-api-key': stack.info.apiKey, ...headers },
    body: form,
  });
}

const fixture = (name: string) => readFileSync(path.join(fixtures, name));

describe('one turn without a call', () => {
  it.each(readdirSync(fixtures))('hears %s and answers it', async (name) => {
    const answer = await send(name, fixture(name), { personality: 'receptionist' });
    expect(answer.status).toBe(200);
    const turn = (await answer.json()) as {
      heard: { text: string };
      reply: { text: string; audio: { base64: string; duration_ms: number } };
      timings_ms: Record<string, number>;
    };
    expect(turn.heard.text).toBe(LINE);
    expect(turn.reply.text).not.toBe('');
    expect(turn.reply.audio.duration_ms).toBeGreaterThan(500);
    expect(Buffer.from(turn.reply.audio.base64, 'base64').toString('latin1', 0, 4)).toBe('RIFF');
    expect(Object.keys(turn.timings_ms)).toEqual([
      'decode',
      'stt',
      'llm_first_token',
      'llm',
      'tts_first_byte',
      'tts',
      'total',
    ]);
  });

  it('answers with the sound itself where that is asked for', async () => {
    const answer = await send('line.wav', fixture('line.wav'), {}, { accept: 'audio/wav' });
    expect(answer.headers.get('content-type')).toBe('audio/wav');
    expect(decodeURIComponent(answer.headers.get('x-heard-text') ?? '')).toBe(LINE);
    expect(answer.headers.get('server-timing')).toMatch(/^decode;dur=\d+, stt;dur=\d+/);
    expect(Buffer.from(await answer.arrayBuffer()).toString('latin1', 8, 12)).toBe('WAVE');
  });

  it('says what is wrong with a request, field by field', async () => {
    const sound = fixture('line.wav');
    const cases: [string, Uint8Array, Record<string, string>, number, string][] = [
      ['a.pdf', Buffer.from('%PDF-1.7 and more'), {}, 415, 'unsupported-media-type'],
      ['a.webm', fixture('line.webm').subarray(0, 60), {}, 422, 'unreadable-sound'],
      ['a.wav', sound, { personality: 'nobody' }, 400, 'unknown-personality'],
      ['a.wav', sound, { variables: '[1]' }, 400, 'bad-request'],
      ['a.wav', sound, { unknown: 'x' }, 400, 'bad-request'],
      ['a.wav', Buffer.alloc(10 * 1024 * 1024 + 100, sound), {}, 413, 'too-large'],
    ];
    for (const [name, bytes, fields, status, kind] of cases) {
      const answer = await send(name, bytes, fields);
      const problem = (await answer.json()) as { type: string };
      expect([answer.status, problem.type]).toEqual([status, `urn:trunkline:problem:${kind}`]);
    }
    const empty = await stack.request('POST', '/api/voice-pipeline', {});
    expect(empty.status).toBe(415);
  });

  it('says which vendor failed', async () => {
    const faults = `${stack.info.simulatorUrl}/simulator/faults`;
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ llm: { status: 401 } });
    await fetch(faults, { method: 'PUT', headers, body });
    const answer = await send('line.wav', fixture('line.wav'));
    await fetch(faults, { method: 'DELETE' });
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('(llm)') });
  });

  it('keeps no file of what was sent, and no word of it in the logs', () => {
    expect(readdirSync(tmpdir()).filter((name) => /\.(wav|mp3|ogg|webm)$/.test(name))).toEqual([]);
    const logs = Object.values(stack.logs()).join('\n');
    expect(logs).not.toContain('check-up');
  });
});
