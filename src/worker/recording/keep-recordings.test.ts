import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallEventType } from '../../call/call-event.ts';
import { newCallId } from '../../call/call-id.ts';
import { muLawHeader } from '../../call/recording/mu-law-wav.ts';
import { recordingFile } from '../../call/recording/recording-file.ts';
import { createLog } from '../../platform/log.ts';
import { finishAbandoned, removeOld, type RecordingKeeping } from './keep-recordings.ts';

const NOW = Date.UTC(2026, 5, 15, 12);
const DAY_MS = 86_400_000;

let folder: string;
let told: [CallEventType, string][];
let keeping: RecordingKeeping;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'recordings-'));
  told = [];
  const publish = async (type: CallEventType, call: string) => void told.push([type, call]);
  keeping = { folder, days: undefined, events: { publish }, log: createLog('test', 'fatal') };
});
afterEach(() => rmSync(folder, { recursive: true }));

const sound = Buffer.concat([muLawHeader(), Buffer.alloc(1600)]);

function put(at: number, ending = ''): string {
  const call = newCallId(at);
  const target = path.join(folder, `${recordingFile(call)}${ending}`);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, sound);
  utimesSync(target, at / 1000, at / 1000);
  return call;
}

const files = () =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(path.join(folder, name)).isFile())
    .toSorted();

describe('finishAbandoned', () => {
  it('finishes what lost its writer, tells of it once, and leaves what is still written', async () => {
    const lost = put(NOW - 10 * DAY_MS, '.part');
    const running = put(NOW - 1000, '.part');
    await Promise.all([finishAbandoned(keeping, NOW), finishAbandoned(keeping, NOW)]);
    expect(told).toEqual([['call.recorded', lost]]);
    expect(files().map((file) => path.basename(file))).toEqual([
      `${lost}.wav`,
      `${running}.wav.part`,
    ]);
  });

  it('looks no further back than it is asked to', async () => {
    put(NOW - 10 * DAY_MS, '.part');
    await finishAbandoned(keeping, NOW, NOW - 2 * DAY_MS);
    expect(told).toEqual([]);
  });

  it('is content where nothing has been recorded yet', async () => {
    await finishAbandoned({ ...keeping, folder: path.join(folder, 'none') }, NOW);
    await removeOld({ ...keeping, folder: path.join(folder, 'none'), days: 1 }, NOW);
  });
});

describe('removeOld', () => {
  it('removes nothing where no number of days is set', async () => {
    put(NOW - 1000 * DAY_MS);
    await removeOld(keeping, NOW);
    expect(files()).toHaveLength(1);
  });

  it('removes the recordings of days too long ago, with their folders, and nothing else', async () => {
    put(NOW - 400 * DAY_MS);
    const kept = [put(NOW - 30 * DAY_MS), put(NOW)].map((call) => `${call}.wav`);
    const foreign = path.join(folder, '2020/01/01/holiday.jpg');
    mkdirSync(path.dirname(foreign), { recursive: true });
    writeFileSync(foreign, '');
    writeFileSync(path.join(folder, 'inbound-1.wav'), '');
    await removeOld({ ...keeping, days: 30 }, NOW);
    expect(files().map((file) => path.basename(file))).toEqual([
      'holiday.jpg',
      ...kept,
      'inbound-1.wav',
    ]);
    expect(readdirSync(folder).toSorted()).toEqual(['2020', '2026', 'inbound-1.wav']);
  });
});
