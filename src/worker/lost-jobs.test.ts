import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newCallId, type CallId } from '../call/call-id.ts';
import { EVENT_STREAM, EventPublisher, parseStreamEntry } from '../call/event-stream.ts';
import { enterLiveCall, listLiveCalls } from '../call/live-calls.ts';
import { muLawHeader } from '../call/recording/mu-law-wav.ts';
import { recordingFile } from '../call/recording/recording-file.ts';
import { allocateCallId } from '../call/room-call-id.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { Releases } from '../platform/releases.ts';
import { RedisServer } from '../platform/testing/redis-server.ts';
import { markFinished, markRunning, watchJobs, type RunningJob } from './lost-jobs.ts';

const log = createLog('test', 'fatal');
let server: RedisServer;
let redis: Redis;
let deleted: string[];
let recordings: string;

beforeAll(async () => {
  recordings = mkdtempSync(path.join(tmpdir(), 'recordings-'));
  server = await RedisServer.start();
  redis = connectRedis(server.url, log, 'patient');
});

beforeEach(async () => {
  await redis.flushall();
  deleted = [];
});

afterAll(async () => {
  redis.disconnect();
  await server.remove();
  rmSync(recordings, { recursive: true });
});

const outboundJob = (callId: CallId): RunningJob => ({
  id: `job_${callId}`,
  room: callId,
  metadata: JSON.stringify({ direction: 'outbound', callId, trunk: 'simulator' }),
});

/** Watches jobs, lets all of them vanish, and resolves when the watch is over. */
async function vanish(jobs: RunningJob[]): Promise<void> {
  const releases = new Releases();
  let running = jobs;
  const looked = Promise.withResolvers<void>();
  watchJobs({
    redis,
    log,
    events: new EventPublisher(redis),
    recordings,
    rooms: { deleteRoom: async (room) => void deleted.push(room) },
    running: () => {
      looked.resolve();
      return running;
    },
    releases,
  });
  await looked.promise;
  running = [];
  await releases.run();
}

async function ends() {
  const entries = await redis.xrange(EVENT_STREAM, '-', '+');
  return entries.map(([, fields]) => parseStreamEntry(fields));
}

describe('watchJobs', () => {
  it('ends the call of a process that died, and leaves the other alone', async () => {
    const [dead, done] = [newCallId(), newCallId()];
    for (const id of [dead, done]) {
      await markRunning(redis, `job_${id}`);
      await enterLiveCall(redis, {
        id,
        room: id,
        trunk: 'simulator',
        direction: 'outbound',
        since: 0,
      });
    }
    await markFinished(redis, `job_${done}`);
    await vanish([outboundJob(dead), outboundJob(done)]);
    expect(await ends()).toMatchObject([
      { type: 'call.ended', call: dead, data: { outcome: 'failed', hungUpBy: 'system' } },
    ]);
    expect(deleted).toEqual([dead]);
    expect((await listLiveCalls(redis)).map(({ id }) => id)).toEqual([done]);
  });

  it('keeps what a process that died had recorded', async () => {
    const dead = newCallId();
    await markRunning(redis, `job_${dead}`);
    const file = recordingFile(dead);
    mkdirSync(path.dirname(path.join(recordings, file)), { recursive: true });
    const half = Buffer.concat([muLawHeader(), Buffer.alloc(16_000, 0xff)]);
    writeFileSync(path.join(recordings, `${file}.part`), half);
    await vanish([outboundJob(dead)]);
    expect(await ends()).toMatchObject([
      { type: 'call.recorded', call: dead, data: { file, durationMs: 1000, bytes: half.length } },
      { type: 'call.ended', call: dead },
    ]);
  });

  it('finds the id of an inbound call by its room', async () => {
    const { id } = await allocateCallId(redis, 'in-room');
    await markRunning(redis, 'job');
    const metadata = JSON.stringify({ direction: 'inbound', trunk: 'simulator' });
    await vanish([{ id: 'job', room: 'in-room', metadata }]);
    expect(await ends()).toMatchObject([{ type: 'call.ended', call: id }]);
  });
});

describe('allocateCallId', () => {
  it('gives a room one id, whoever asks and however often', async () => {
    const asked = await Promise.all([
      allocateCallId(redis, 'in-a'),
      allocateCallId(redis, 'in-a'),
      allocateCallId(redis, 'in-b'),
    ]);
    expect(asked.filter(({ isNew }) => isNew)).toHaveLength(2);
    expect(asked[0].id).toBe(asked[1].id);
    expect(asked[2].id).not.toBe(asked[0].id);
  });
});
