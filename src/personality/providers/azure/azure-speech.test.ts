import { initializeLogger, stt, type APIConnectOptions } from '@livekit/agents';
import { AudioFrame } from '@livekit/rtc-node';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { tolerateRejections } from '../tolerate-rejections.ts';
import { startAzureStandIn, type AzureBehaviour, type AzureStandIn } from './azure-stand-in.ts';
import { AzureStt } from './azure-stt.ts';
import { AzureTts } from './azure-tts.ts';

const once: APIConnectOptions = { maxRetry: 0, retryIntervalMs: 0, timeoutMs: 1000 };
const failures: [AzureBehaviour, object][] = [
  [401, { name: 'APIStatusError', statusCode: 401, retryable: false }],
  [403, { name: 'APIStatusError', statusCode: 403, retryable: false }],
  [404, { name: 'APIStatusError', statusCode: 404, retryable: false }],
  [429, { name: 'APIStatusError', statusCode: 429, retryable: true }],
  [503, { name: 'APIStatusError', statusCode: 503, retryable: true }],
  ['hang', { name: 'APITimeoutError', retryable: true }],
  ['cut off', { name: 'APIConnectionError', retryable: true }],
];

tolerateRejections();
beforeAll(() => initializeLogger({ pretty: false, level: 'silent' }));

let azure: AzureStandIn;
beforeEach(async () => {
  azure = await startAzureStandIn();
});
afterEach(() => azure.close());

const resource = () => ({ key: 'speech-key', baseUrl: azure.url });
const createStt = () =>
  new AzureStt({
    resource: resource(),
    language: 'de-DE',
    phrases: ['Trunkline'],
    segmentationSilenceMs: 300,
  });
const createTts = () =>
  new AzureTts({ resource: resource(), language: 'de-DE', voice: 'de-DE-KatjaNeural' });
const frame = () => new AudioFrame(new Int16Array(320).fill(1000), 16_000, 1, 320);

/** What a component reports, when it reports it. */
function reported(component: AzureStt | AzureTts): Promise<Error> {
  return new Promise((resolve) => {
    component.on('error', ({ error }: { error: Error }) => resolve(error));
  });
}

describe('AzureStt', () => {
  it('streams sound, and gives interim and final results', async () => {
    const stream = createStt().stream({ connOptions: once });
    for (let index = 0; index < 10; index += 1) stream.pushFrame(frame());
    stream.endInput();
    const events: [stt.SpeechEventType, string | undefined][] = [];
    for await (const { type, alternatives } of stream) events.push([type, alternatives?.[0].text]);
    const types = stt.SpeechEventType;
    expect(events.slice(0, 4)).toEqual([
      [types.START_OF_SPEECH, undefined],
      [types.INTERIM_TRANSCRIPT, 'Guten'],
      [types.FINAL_TRANSCRIPT, 'Guten Tag.'],
      [types.END_OF_SPEECH, undefined],
    ]);
    // 10 frames of 20 ms, and the header of a WAV file that the SDK puts before them.
    expect(azure.soundBytes).toBe(6400 + 44);
    expect(azure.requests[0]?.key).toBe('speech-key');
    expect(azure.requests[0]?.url.searchParams.get('language')).toBe('de-DE');
    expect(azure.contexts[0]).toContain('"text":"Trunkline"');
    expect(azure.contexts[0]).toContain('"segmentationSilenceTimeoutMs":300');
  });

  it('tells how much it has heard when it is flushed, before it is closed', async () => {
    const component = createStt();
    const heard: number[] = [];
    component.on('metrics_collected', ({ audioDurationMs }) => heard.push(audioDurationMs));
    const stream = component.stream({ connOptions: once });
    for (let index = 0; index < 5; index += 1) stream.pushFrame(frame());
    stream.flush();
    await vi.waitFor(() => expect(heard.reduce((sum, ms) => sum + ms, 0)).toBe(100));
    stream.close();
  });

  it('recognises one recording', async () => {
    const { alternatives } = await createStt().recognize([frame(), frame()]);
    expect(alternatives?.[0].text).toBe('Guten Tag.');
  });

  it('goes on after a cut connection, and loses no later sound', async () => {
    azure.behave('cut off');
    const stream = createStt().stream({ connOptions: { ...once, maxRetry: 3 } });
    stream.pushFrame(frame());
    await vi.waitFor(() => expect(azure.requests).not.toHaveLength(0));
    azure.behave('answer');
    const feed = setInterval(() => stream.pushFrame(frame()), 20);
    for await (const { type } of stream) {
      if (type === stt.SpeechEventType.FINAL_TRANSCRIPT) break;
    }
    clearInterval(feed);
    stream.close();
    expect(azure.requests.length).toBeGreaterThan(1);
  });

  it('ends without an error when it is closed', async () => {
    const component = createStt();
    const errors: Error[] = [];
    component.on('error', ({ error }) => errors.push(error));
    const stream = component.stream({ connOptions: once });
    stream.pushFrame(frame());
    await vi.waitFor(() => expect(azure.soundBytes).toBeGreaterThan(0));
    stream.close();
    for await (const { type } of stream) expect(type).toBeTypeOf('number');
    expect(errors).toEqual([]);
  });

  it.each(failures)(
    'reports %s as the error that the framework acts upon',
    async (behaviour, error) => {
      azure.behave(behaviour);
      const component = createStt();
      const report = reported(component);
      const stream = component.stream({ connOptions: once });
      stream.pushFrame(frame());
      await expect(report).resolves.toMatchObject(error);
      expect((await report).message).not.toContain('speech-key');
    },
  );
});

describe('AzureTts', () => {
  it('passes sound on as it comes, and says which frame is the last', async () => {
    const finals: boolean[] = [];
    let samples = 0;
    for await (const { frame, final } of createTts().synthesize(
      'Bis <morgen> & gute Fahrt',
      once,
    )) {
      finals.push(final);
      samples += frame.samplesPerChannel;
    }
    expect(samples).toBe(8000);
    expect(finals.lastIndexOf(true)).toBe(finals.length - 1);
    expect(finals.indexOf(true)).toBe(finals.length - 1);
    expect(azure.said[0]).toContain(
      '<voice name="de-DE-KatjaNeural">Bis &lt;morgen&gt; &amp; gute Fahrt</voice>',
    );
    expect(azure.requests[0]?.key).toBe('speech-key');
  });

  it('says the next sentence over the same connection, and over a new one when that is gone', async () => {
    const component = createTts();
    await component.synthesize('Eins.', once).collect();
    await component.synthesize('Zwei.', once).collect();
    expect(azure.requests).toHaveLength(1);
    azure.hangUp();
    await component.synthesize('Drei.', { ...once, maxRetry: 1 }).collect();
    expect(azure.said.at(-1)).toContain('Drei.');
    expect(azure.requests).toHaveLength(2);
    await component.close();
  });

  it('stops at once when it is broken off, and speaks again afterwards', async () => {
    azure.behave('hang');
    const component = createTts();
    const abort = new AbortController();
    const stream = component.synthesize('Lang.', { ...once, timeoutMs: 30_000 }, abort.signal);
    await vi.waitFor(() => expect(azure.requests).toHaveLength(1));
    abort.abort();
    for await (const _ of stream) expect.unreachable();
    azure.behave('answer');
    const { samplesPerChannel } = await component.synthesize('Kurz.', once).collect();
    expect(samplesPerChannel).toBe(8000);
  });

  it('uses the standard voice of the language where none is named', async () => {
    const component = new AzureTts({ resource: resource(), language: 'de-AT' });
    await component.synthesize('Servus.', once).collect();
    expect(azure.said[0]).toContain('de-AT');
    expect(azure.said[0]).toContain('Servus.');
  });

  it.each(failures)(
    'reports %s as the error that the framework acts upon',
    async (behaviour, error) => {
      azure.behave(behaviour);
      const component = createTts();
      const report = reported(component);
      component.synthesize('Hallo.', once);
      await expect(report).resolves.toMatchObject(error);
      expect((await report).message).not.toContain('speech-key');
    },
  );
});
