import { AudioFrame } from '@livekit/rtc-node';
import { initializeLogger, llm, stt } from '@livekit/agents';
import * as deepgram from '@livekit/agents-plugin-deepgram';
import * as openai from '@livekit/agents-plugin-openai';
import Fastify, { type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { pcmWavFile } from '../platform/pcm-wav.ts';
import { Faults } from './faults.ts';
import { KnownLines } from './known-lines.ts';
import { SAMPLE_RATE } from './leg.ts';
import { resample } from './resample.ts';
import { Pace } from './pace.ts';
import { Script } from './script.ts';
import { Speech } from './speech.ts';
import { transcribe } from './transcription.ts';
import { Served } from './served.ts';
import { VendorDiary } from './vendor-diary.ts';
import { mountVendors } from './vendor-stand-ins.ts';
import { writeSamples } from './wav.ts';

const speech = new Speech();
const script = new Script();
const faults = new Faults();
const pace = new Pace();
const diary = new VendorDiary();
const callerLines = new KnownLines();
const agentLines = new KnownLines();
const served = new Served();
const mends: (() => void)[] = [];
let app: FastifyInstance;
let port: number;

beforeAll(async () => {
  initializeLogger({ pretty: false, level: 'silent' });
  app = Fastify();
  const lines = { callerLines, agentLines };
  await mountVendors(app, { speech, script, faults, served, ...lines, pace, diary });
  await app.listen({ host: '127.0.0.1', port: 0 });
  port = (app.server.address() as AddressInfo).port;
});

afterEach(() => {
  for (const mend of mends.splice(0)) mend();
});

afterAll(() => app.close());

const baseURL = () => `http://127.0.0.1:${port}/v1`;
const apiKey = 'simulator';

function breakVendor(broken: Parameters<Faults['add']>[0]): void {
  mends.push(faults.add(broken));
}

describe("Deepgram's stand-in, through the framework's plugin", () => {
  const line = 'I would like to book a table for two.';

  async function hear(sounds: Int16Array[]): Promise<stt.SpeechEvent[]> {
    const ears = new deepgram.STT({ apiKey, baseUrl: `ws://127.0.0.1:${port}/v1/listen` });
    const stream = ears.stream();
    for (const sound of [...sounds, new Int16Array(SAMPLE_RATE)]) {
      stream.pushFrame(new AudioFrame(sound, SAMPLE_RATE, 1, sound.length));
    }
    const events: stt.SpeechEvent[] = [];
    for await (const event of stream) {
      if (event.type === stt.SpeechEventType.RECOGNITION_USAGE) continue;
      events.push(event);
      if (event.type === stt.SpeechEventType.END_OF_SPEECH) break;
    }
    stream.close();
    return events;
  }

  test('a known line comes back word for word', async () => {
    const sound = await speech.say(line);
    callerLines.add(line, sound);
    const events = await hear([new Int16Array(8000), sound]);
    const types = events.map(({ type }) => type);
    expect(types[0]).toBe(stt.SpeechEventType.START_OF_SPEECH);
    expect(types).toContain(stt.SpeechEventType.INTERIM_TRANSCRIPT);
    expect(types.at(-1)).toBe(stt.SpeechEventType.END_OF_SPEECH);
    const finals = events.filter(({ type }) => type === stt.SpeechEventType.FINAL_TRANSCRIPT);
    expect(finals.map((event) => event.alternatives?.[0]?.text)).toEqual([line]);
  });

  test('speech that nobody was told of gives no word', async () => {
    const events = await hear([await speech.say('The moon is made of green cheese.')]);
    expect(events.map(({ type }) => type)).toEqual([
      stt.SpeechEventType.START_OF_SPEECH,
      stt.SpeechEventType.END_OF_SPEECH,
    ]);
  });
});

describe("OpenAI's stand-ins, through the framework's plugins", () => {
  test('an answer of the script arrives word for word, with usage', async () => {
    mends.push(
      script.register([
        { caller: 'Do you have a table?' },
        { agent: { text: 'Yes, of course. For how many people?' } },
      ]),
    );
    const chat = llm.ChatContext.empty();
    chat.addMessage({ role: 'system', content: 'You are a receptionist.' });
    chat.addMessage({ role: 'user', content: 'Do you have a table?' });
    const brain = new openai.LLM({ apiKey, baseURL: baseURL(), model: 'sim-llm' });
    let text = '';
    let usage = 0;
    for await (const chunk of brain.chat({ chatCtx: chat })) {
      text += chunk.delta?.content ?? '';
      usage += chunk.usage?.completionTokens ?? 0;
    }
    expect(text).toBe('Yes, of course. For how many people?');
    expect(usage).toBeGreaterThan(0);
  });

  test('a tool of the script is called, and the answer follows its result', async () => {
    mends.push(
      script.register([
        { caller: 'A table for two, please.' },
        { agent: { tool: { name: 'book_table', arguments: { people: 2 } } } },
        { agent: { text: 'Your table is booked.' } },
      ]),
    );
    const chat = llm.ChatContext.empty();
    chat.addMessage({ role: 'user', content: 'A table for two, please.' });
    const brain = new openai.LLM({ apiKey, baseURL: baseURL(), model: 'sim-llm' });
    const toolCtx = {
      book_table: llm.tool({
        description: 'Books a table.',
        parameters: z.object({ people: z.number() }),
        execute: async () => 'done',
      }),
    };
    const calls: llm.FunctionCall[] = [];
    for await (const chunk of brain.chat({ chatCtx: chat, toolCtx })) {
      calls.push(...(chunk.delta?.toolCalls ?? []));
    }
    expect(calls.map(({ name, args }) => [name, args])).toEqual([['book_table', '{"people":2}']]);
    const [call] = calls;
    if (!call) throw new Error('no call');
    chat.insert([
      call,
      llm.FunctionCallOutput.create({
        callId: call.callId,
        name: call.name,
        output: 'done',
        isError: false,
      }),
    ]);
    let text = '';
    for await (const chunk of brain.chat({ chatCtx: chat, toolCtx }))
      text += chunk.delta?.content ?? '';
    expect(text).toBe('Your table is booked.');
  });

  test('what the TTS says is known to the callers from then on, and heard by them', async () => {
    const line = 'Ihr Tisch ist für morgen um sieben Uhr reserviert.';
    const mouth = new openai.TTS({ apiKey, baseURL: baseURL(), voice: 'alloy' });
    const frames: Int16Array[] = [];
    for await (const { frame } of mouth.synthesize(line)) frames.push(frame.data);
    const sound = Int16Array.from(frames.flatMap((frame) => [...frame]));
    expect(transcribe(agentLines, resample(sound, 24_000, SAMPLE_RATE)).text).toBe(line);
  });
});

describe('faults', () => {
  const post = (path: string, body: object, signal?: AbortSignal) =>
    fetch(`${baseURL()}${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer simulator', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal ? { signal } : {}),
    });
  const chat = { model: 'm', stream: true, messages: [{ role: 'user', content: 'Hello' }] };
  const speak = { model: 'm', input: 'Hello there.', voice: 'alloy', response_format: 'pcm' };

  test("a status comes in OpenAI's error shape, and mends itself after so many requests", async () => {
    breakVendor({ llm: { status: 429, times: 1 } });
    const refused = await post('/chat/completions', chat);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
    const answered = await post('/chat/completions', chat);
    expect(answered.status).toBe(200);
    expect((await answered.text()).trimEnd().endsWith('data: [DONE]')).toBe(true);
  });

  test('a silent TTS answers as long as ever, without a sound', async () => {
    const spoken = Buffer.from(await (await post('/audio/speech', speak)).arrayBuffer());
    breakVendor({ tts: { silent: true } });
    const silent = Buffer.from(await (await post('/audio/speech', speak)).arrayBuffer());
    expect(spoken.some((byte) => byte !== 0)).toBe(true);
    expect(silent.length).toBe(spoken.length);
    expect(silent.every((byte) => byte === 0)).toBe(true);
  });

  test('a silent LLM answers properly, without a word', async () => {
    breakVendor({ llm: { silent: true } });
    const answer = await (await post('/chat/completions', chat)).text();
    expect(answer).toContain('[DONE]');
    expect(answer).not.toMatch(/"content":"[^"]/);
  });

  test('a dropped answer breaks off in the middle', async () => {
    breakVendor({ llm: { drop: true }, tts: { drop: true } });
    await expect(post('/chat/completions', chat).then((answer) => answer.text())).rejects.toThrow();
    await expect(
      post('/audio/speech', speak).then((answer) => answer.arrayBuffer()),
    ).rejects.toThrow();
  });

  test('a hanging vendor answers nothing until the client gives up', async () => {
    breakVendor({ llm: { hang: true } });
    await expect(post('/chat/completions', chat, AbortSignal.timeout(300))).rejects.toThrow(
      /abort/i,
    );
  });

  test('a delay is waited out before the first byte', async () => {
    breakVendor({ tts: { delayMs: 250 } });
    const asked = performance.now();
    const answer = await post('/audio/speech', speak);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(245);
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  });

  test('without a key, and for a sound format that it cannot make, OpenAI says what is wrong', async () => {
    const keyless = await fetch(`${baseURL()}/models`);
    expect(keyless.status).toBe(401);
    const mp3 = await post('/audio/speech', { ...speak, response_format: 'mp3' });
    expect(mp3.status).toBe(400);
    expect(await mp3.json()).toMatchObject({
      error: { message: expect.stringContaining('pcm or wav') },
    });
  });
});

describe("Deepgram's wire protocol", () => {
  const query =
    'encoding=linear16&sample_rate=8000&interim_results=false&vad_events=true&punctuate=true';

  function connect(options = query, key: string | undefined = 'Token simulator'): WebSocket {
    return new WebSocket(`ws://127.0.0.1:${port}/v1/listen?${options}`, {
      headers: key === undefined ? {} : { authorization: key },
    });
  }

  async function refusal(socket: WebSocket): Promise<{ status: number | undefined; body: string }> {
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode, body: Buffer.concat(chunks).toString() };
  }

  /** Sends a sound and reads to the end. */
  async function converse(socket: WebSocket, sound: Int16Array): Promise<Message[]> {
    const messages: Message[] = [];
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message));
    await once(socket, 'open');
    // In pieces of an odd length, for a sample may be cut in two.
    const bytes = writeSamples(sound);
    for (let at = 0; at < bytes.length; at += 1601) socket.send(bytes.subarray(at, at + 1601));
    socket.send(JSON.stringify({ type: 'KeepAlive' }));
    socket.send(JSON.stringify({ type: 'CloseStream' }));
    await once(socket, 'close');
    return messages;
  }

  type Message = {
    type: string;
    is_final?: boolean;
    channel?: { alternatives: { transcript: string; words: { start: number; end: number }[] }[] };
  };

  test('8 kHz sound in pieces of any size gives the line, with the times of its words', async () => {
    const line = 'My name is Anna Miller.';
    const sound = await speech.say(line);
    callerLines.add(line, sound);
    const messages = await converse(connect(), resample(sound, SAMPLE_RATE, 8000));
    expect(messages.map(({ type }) => type)).toEqual(['SpeechStarted', 'Results', 'Metadata']);
    const [alternative] = messages[1]?.channel?.alternatives ?? [];
    expect(alternative?.transcript).toBe(line);
    const starts = alternative?.words.map(({ start }) => start) ?? [];
    expect(starts).toHaveLength(5);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  });

  test('a line that is broken off gives the words that were said', async () => {
    const line = 'I would like to change the time of my appointment next week.';
    const sound = await speech.say(line);
    callerLines.add(line, sound);
    const half = resample(sound.subarray(0, sound.length / 2), SAMPLE_RATE, 8000);
    const messages = await converse(connect(), half);
    const said = messages.find(({ type }) => type === 'Results')?.channel?.alternatives[0]
      ?.transcript;
    expect(said).toMatch(/^I would like to/);
    expect(line.startsWith(said ?? '-')).toBe(true);
    expect(said).not.toBe(line);
  });

  test('a silent STT hears, and tells no word', async () => {
    breakVendor({ stt: { silent: true } });
    const sound = resample(await speech.say('Yes.'), SAMPLE_RATE, 8000);
    const messages = await converse(connect(), sound);
    expect(messages.map(({ type }) => type)).toEqual(['Metadata']);
  });

  test("without a key, or with an encoding that it does not know, it refuses in Deepgram's shape", async () => {
    expect(await refusal(connect(query, ''))).toMatchObject({
      status: 401,
      body: expect.stringContaining('INVALID_AUTH'),
    });
    const opus = await refusal(connect('encoding=opus&sample_rate=48000'));
    expect(opus.status).toBe(400);
    expect(opus.body).toContain('linear16');
  });

  test('a status of the faults refuses the connection', async () => {
    breakVendor({ stt: { status: 429 } });
    expect(await refusal(connect())).toMatchObject({
      status: 429,
      body: expect.stringContaining('TOO_MANY_REQUESTS'),
    });
  });

  test('a dropped stream ends without a close', async () => {
    const socket = connect();
    await once(socket, 'open');
    breakVendor({ stt: { drop: true } });
    socket.send(Buffer.alloc(640));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1006);
  });

  test('a recorded file and a form give the same line', async () => {
    const line = 'What are your opening hours?';
    const sound = await speech.say(line);
    callerLines.add(line, sound);
    const file = new Blob([new Uint8Array(pcmWavFile(sound, SAMPLE_RATE))], { type: 'audio/wav' });
    const recorded = await fetch(`${baseURL()}/listen`, {
      method: 'POST',
      headers: { authorization: 'Token simulator' },
      body: file,
    });
    expect(await recorded.json()).toMatchObject({
      results: { channels: [{ alternatives: [{ transcript: line }] }] },
    });
    const form = new FormData();
    form.set('file', file, 'line.wav');
    form.set('model', 'sim-stt');
    const transcription = await fetch(`${baseURL()}/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: 'Bearer simulator' },
      body: form,
    });
    expect(await transcription.json()).toEqual({ text: line });
  });
});
