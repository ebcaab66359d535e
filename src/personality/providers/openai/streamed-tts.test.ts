import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { initializeLogger, type tts } from '@livekit/agents';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tolerateRejections } from '../tolerate-rejections.ts';
import { clientOf } from './client.ts';
import { StreamedTts } from './streamed-tts.ts';

tolerateRejections();

const HALF_A_SECOND = Buffer.alloc(24_000);
const CONNECTION = { maxRetry: 1, retryIntervalMs: 1, timeoutMs: 5000 };

beforeAll(() => initializeLogger({ pretty: false, level: 'silent' }));

describe("OpenAI's voice", () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  async function voice(answer: (response: ServerResponse, nth: number) => void) {
    let asked = 0;
    const own = createServer((request, response) => {
      request.resume();
      asked += 1;
      answer(response, asked);
    });
    server = own;
    await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
    const baseURL = `http://127.0.0.1:${(own.address() as AddressInfo).port}/v1`;
    const made = new StreamedTts({ client: clientOf({ apiKey: 'key', baseURL }, undefined) });
    const errors: unknown[] = [];
    made.on('error', (error) => errors.push(error));
    return { voice: made, errors, asked: () => asked };
  }

  const secondsOf = (heard: tts.SynthesizedAudio[]) =>
    heard.reduce((sum, { frame }) => sum + frame.samplesPerChannel / frame.sampleRate, 0);

  it('sounds before the vendor has made the whole', async () => {
    let finish: () => void = () => undefined;
    const made = await voice((response) => {
      response.write(HALF_A_SECOND);
      finish = () => response.end(HALF_A_SECOND);
    });
    const stream = made.voice.synthesize('Hello.', CONNECTION);
    const first = await stream.next();
    expect(first.done).toBe(false);
    finish();
    const heard = [first.value as tts.SynthesizedAudio];
    for await (const audio of stream) heard.push(audio);
    expect(secondsOf(heard)).toBeCloseTo(1, 5);
    expect(heard.map(({ final }) => final).indexOf(true)).toBe(heard.length - 1);
    expect(made.errors).toEqual([]);
  });

  it('is asked again after a failure of the vendor, with a new request', async () => {
    const made = await voice((response, nth) => {
      if (nth === 1) response.writeHead(503).end('{}');
      else response.end(HALF_A_SECOND);
    });
    const heard = [];
    for await (const audio of made.voice.synthesize('Hello.', CONNECTION)) heard.push(audio);
    expect(secondsOf(heard)).toBeCloseTo(0.5, 5);
    expect(made.asked()).toBe(2);
    expect(made.errors).toEqual([]);
  });

  it('is not asked again once it has begun to sound, and says that it failed', async () => {
    const made = await voice((response) => {
      response.write(HALF_A_SECOND, () => response.destroy());
    });
    const heard = [];
    for await (const audio of made.voice.synthesize('Hello.', CONNECTION)) heard.push(audio);
    await expect.poll(() => made.errors).toHaveLength(1);
    expect(made.asked()).toBe(1);
    expect(made.errors[0]).toMatchObject({ recoverable: false });
  });

  it('tells the status of a refusal, and does not repeat it', async () => {
    const made = await voice((response) => void response.writeHead(401).end('{}'));
    for await (const _ of made.voice.synthesize('Hello.', CONNECTION));
    await expect.poll(() => made.errors).toHaveLength(1);
    expect(made.errors[0]).toMatchObject({ error: { statusCode: 401 } });
    expect(made.asked()).toBe(1);
  });

  it('lets the request go when nobody wants to hear it any more', async () => {
    const gone = Promise.withResolvers<void>();
    const made = await voice((response) => {
      response.write(HALF_A_SECOND);
      response.once('close', gone.resolve);
    });
    const stream = made.voice.synthesize('Hello.', CONNECTION);
    await stream.next();
    stream.close();
    await gone.promise;
    expect(made.errors).toEqual([]);
  });
});
