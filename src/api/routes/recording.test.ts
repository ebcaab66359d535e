import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { InjectOptions, LightMyRequestResponse as Response } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callEvent } from '../../call/call-event.ts';
import { newCallId, type CallId } from '../../call/call-id.ts';
import { recordEvents } from '../../call/ledger/record-events.ts';
import { databaseMaker, silentLog, type DatabaseMaker } from '../../call/ledger/testing.ts';
import { muLawHeader } from '../../call/recording/mu-law-wav.ts';
import { recordingFile } from '../../call/recording/recording-file.ts';
import { API_KEY, startTestApi, type TestApi } from '../testing.ts';

const SOUND = Buffer.from(Uint8Array.from({ length: 16_000 }, (_, index) => index % 251));
const FILE = Buffer.concat([muLawHeader(SOUND.length), SOUND]);

describe.each(['embedded', 'postgres'] as const)('GET recording on the %s database', (kind) => {
  let api: TestApi;
  let maker: DatabaseMaker;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'recordings-'));
    maker = await databaseMaker(kind);
    api = await startTestApi(async () => maker.open(), silentLog, { RECORDINGS_DIR: folder });
  });
  afterAll(async () => {
    await api.close();
    await maker.remove();
    rmSync(folder, { recursive: true });
  });

  /** A call that came in and ended; its number is nowhere in what is asked here. */
  async function aCall(recorded?: { file: string }, call = newCallId()): Promise<CallId> {
    await recordEvents(api.database.db, [
      callEvent('call.received', call, {
        from: '+12025550123',
        to: '+12025550110',
        trunk: 'simulator',
        personality: 'receptionist',
        simulated: true,
      }),
      ...(recorded
        ? [
            callEvent('call.recorded', call, {
              ...recorded,
              durationMs: 1000,
              bytes: FILE.length,
            }),
          ]
        : []),
      callEvent('call.ended', call, { outcome: 'completed', reason: 'x', hungUpBy: 'caller' }),
    ]);
    return call;
  }

  async function aRecordedCall(): Promise<CallId> {
    const call = newCallId();
    const file = recordingFile(call);
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), FILE);
    return aCall({ file }, call);
  }

  const ask = async (
    call: string,
    headers: Record<string, string> = {},
    method: InjectOptions['method'] = 'GET',
  ): Promise<Response> =>
    api.app.inject({
      method,
      url: `/api/calls/${encodeURIComponent(call)}/recording`,
      headers: { 'x-api-key': API_KEY, ...headers },
    });

  it('gives the whole file, named by the opaque id', async () => {
    const call = await aRecordedCall();
    const response = await ask(call);
    expect(response.statusCode).toBe(200);
    expect(response.rawPayload.equals(FILE)).toBe(true);
    expect(response.headers).toMatchObject({
      'content-type': 'audio/wav',
      'content-length': String(FILE.length),
      'content-disposition': `inline; filename="${call}.wav"`,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
    });
  });

  it('gives the part that is asked for, as a player does that seeks', async () => {
    const call = await aRecordedCall();
    const middle = await ask(call, { range: 'bytes=1000-1999' });
    expect(middle.statusCode).toBe(206);
    expect(middle.headers['content-range']).toBe(`bytes 1000-1999/${FILE.length}`);
    expect(middle.rawPayload.equals(FILE.subarray(1000, 2000))).toBe(true);
    const tail = await ask(call, { range: 'bytes=-8000' });
    expect(tail.rawPayload.equals(FILE.subarray(-8000))).toBe(true);
    const beyond = await ask(call, { range: `bytes=${FILE.length}-` });
    expect(beyond.statusCode).toBe(416);
    expect(beyond.headers['content-range']).toBe(`bytes */${FILE.length}`);
    expect(beyond.headers['content-type']).toContain('application/problem+json');
    const nonsense = await ask(call, { range: 'seconds=1-2' });
    expect(nonsense.statusCode).toBe(200);
  });

  it('answers HEAD with the length and no sound', async () => {
    const response = await ask(await aRecordedCall(), {}, 'HEAD');
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'audio/wav',
      'content-length': String(FILE.length),
    });
    expect(response.rawPayload.length).toBe(0);
  });

  it('does not send again what has not changed', async () => {
    const call = await aRecordedCall();
    const { etag } = (await ask(call)).headers;
    const again = await ask(call, { 'if-none-match': String(etag) });
    expect(again.statusCode).toBe(304);
    expect(again.rawPayload.length).toBe(0);
    expect((await ask(call, { 'if-match': '"another"' })).statusCode).toBe(412);
  });

  it('is a 404 where there is no such call, or no recording of it', async () => {
    for (const call of [newCallId(), 'nonsense', await aCall()]) {
      const response = await ask(call);
      expect(response.statusCode).toBe(404);
      expect(response.headers['content-type']).toContain('application/problem+json');
    }
  });

  it('is a 410 where the file was removed', async () => {
    const call = await aRecordedCall();
    rmSync(path.join(folder, recordingFile(call)));
    const response = await ask(call);
    expect(response.statusCode).toBe(410);
    expect(response.json()).toMatchObject({ type: 'urn:trunkline:problem:gone' });
    expect(response.body).not.toContain(folder);
    expect((await ask(call, {}, 'HEAD')).statusCode).toBe(410);
  });

  it('is a 410 where the call was erased', async () => {
    const call = await aRecordedCall();
    await api.ledger.erase(call, async () => undefined);
    expect((await ask(call)).statusCode).toBe(410);
  });

  it.each(['../secret.txt', '/etc/passwd', '2026/01/01/../../../secret.txt', '%2e%2e/secret.txt'])(
    'never serves what lies outside of its folder: %s',
    async (file) => {
      writeFileSync(path.join(folder, '..', 'secret.txt'), 'secret');
      const response = await ask(await aCall({ file }));
      rmSync(path.join(folder, '..', 'secret.txt'));
      expect(response.statusCode).toBe(500);
      expect(response.body).not.toContain('secret');
    },
  );

  it('wants a key', async () => {
    const url = `/api/calls/${await aRecordedCall()}/recording`;
    expect((await api.app.inject({ url })).statusCode).toBe(401);
  });

  it('is described: sound, part, unchanged and every problem', () => {
    const { paths } = api.app.swagger() as {
      paths: Record<string, { get: { responses: Record<string, { content?: object }> } }>;
    };
    const responses = paths['/api/calls/{id}/recording']?.get.responses ?? {};
    expect(Object.keys(responses)).toEqual(
      expect.arrayContaining(['200', '206', '304', '404', '410', '412', '416']),
    );
    expect(responses['200']?.content).toEqual({
      'audio/wav': { schema: { type: 'string', format: 'binary' } },
    });
  });
});
