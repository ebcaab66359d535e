import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { initializeLogger, voice } from '@livekit/agents';
import { AudioFrame, type Room } from '@livekit/rtc-node';
import pino from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { newCallId } from '../../call/call-id.ts';
import { HEADER_BYTES } from '../../call/recording/mu-law-wav.ts';
import { recordingFile } from '../../call/recording/recording-file.ts';
import { CallRecorder } from './call-recorder.ts';

const RATE = 24_000;

class Output extends voice.AudioOutput {
  clearBuffer(): void {
    return undefined;
  }
}

let folder: string;
let room: EventEmitter & { remoteParticipants: Map<string, never> };
let output: Output;
let logged: Record<string, unknown>[];

beforeAll(() => initializeLogger({ pretty: false, level: 'silent' }));
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'recordings-'));
  room = Object.assign(new EventEmitter(), { remoteParticipants: new Map<string, never>() });
  output = new Output(RATE);
  logged = [];
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

function record(clock: () => number, below = folder) {
  const call = newCallId();
  const recorder = new CallRecorder({
    folder: below,
    call,
    room: room as unknown as Room,
    output,
    log: pino({ base: null }, { write: (line: string) => logged.push(JSON.parse(line) as never) }),
    clock,
  });
  return { call, recorder };
}

async function say(ms: number): Promise<void> {
  const samples = (RATE / 1000) * ms;
  await output.captureFrame(new AudioFrame(new Int16Array(samples).fill(9000), RATE, 1, samples));
}

describe('CallRecorder', () => {
  it('ends with the moment at which it is told to, and cuts what had not sounded by then', async () => {
    let now = 5000;
    const { call, recorder } = record(() => now);
    await say(1000);
    now += 400;
    const recorded = await recorder.finish();
    expect(recorded).toMatchObject({ file: recordingFile(call), durationMs: 400 });
    const sound = readFileSync(path.join(folder, recordingFile(call))).subarray(HEADER_BYTES);
    const isLoud = (code: number | undefined) => (code ?? 0xff) < 0xf0;
    // Left nobody, right the agent from first to last.
    expect(sound.filter((_, index) => index % 2 === 0).some(isLoud)).toBe(false);
    expect(isLoud(sound[2 * 8 * 100 + 1])).toBe(true);
    expect(isLoud(sound[2 * 8 * 390 + 1])).toBe(true);
  });

  it('writes while the call runs, all but the last seconds', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    let now = 0;
    const { call, recorder } = record(() => now);
    now = 10_000;
    vi.advanceTimersByTime(1000);
    const part = path.join(folder, `${recordingFile(call)}.part`);
    await vi.waitFor(() => expect(readFileSync(part).length).toBe(HEADER_BYTES + 8 * 16_000));
    expect(await recorder.finish()).toMatchObject({ durationMs: 10_000 });
  });

  it('holds nothing of the call when it is finished, however often that is asked', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    let now = 0;
    const recorders = Array.from({ length: 8 }, () => record(() => now).recorder);
    expect(vi.getTimerCount()).toBe(8);
    now = 100;
    for (const recorder of recorders.toReversed()) {
      expect(await recorder.finish()).toBe(await recorder.finish());
    }
    expect(vi.getTimerCount()).toBe(0);
    expect(room.eventNames()).toEqual([]);
    expect(output.eventNames()).toEqual([]);
    expect(Object.hasOwn(output, 'captureFrame')).toBe(false);
  });

  it('lets the call go on where it cannot write, and says so once, without a number', async () => {
    const notAFolder = path.join(folder, 'file');
    writeFileSync(notAFolder, '');
    let now = 0;
    const { call, recorder } = record(() => now, notAFolder);
    await say(100);
    now = 1000;
    expect(await recorder.finish()).toBeUndefined();
    expect(logged).toEqual([
      expect.objectContaining({ call, msg: 'the call is not recorded', level: 50 }),
    ]);
  });
});
