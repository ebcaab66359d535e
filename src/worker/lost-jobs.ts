import type { CallId } from '../call/call-id.ts';
import type { EventPublisher } from '../call/event-stream.ts';
import { jobMetadataSchema, type JobMetadata } from '../call/job-metadata.ts';
import { leaveLiveCall } from '../call/live-calls.ts';
import { finishRecording } from '../call/recording/finish-recording.ts';
import { recordingFile } from '../call/recording/recording-file.ts';
import { findCallId } from '../call/room-call-id.ts';
import { asError } from '../platform/errors.ts';
import type { Redis } from '../platform/redis.ts';
import type { Releases } from '../platform/releases.ts';
import { deleteRoom } from './call-room.ts';
import type { WorkerDeps } from './worker-deps.ts';

export type RunningJob = { id: string; room: string; metadata: string };

export type LostJobsDeps = Pick<WorkerDeps, 'redis' | 'rooms' | 'log'> & {
  events: Pick<EventPublisher, 'publish'>;
  /** Folder of recordings. */
  recordings: string;
  /** Called for each call that lost its process. */
  onLost?: () => void;
};

/** Redis set of the jobs whose process has begun its call and not finished it. */
const RUNNING = 'trunkline:jobs';

const LOOK_MS = 250;

export async function markRunning(redis: Redis, job: string): Promise<void> {
  await redis.sadd(RUNNING, job);
}

export async function markFinished(redis: Redis, job: string): Promise<void> {
  await redis.srem(RUNNING, job);
}

/**
 * Watches the job processes of this worker until it is released. One that dies with its call leaves a ghost
 * in the room for 21 s, and the caller in silence: the call is ended at once instead.
 */
export function watchJobs(
  options: LostJobsDeps & { running: () => readonly RunningJob[]; releases: Releases },
): void {
  const { log, releases } = options;
  let before = new Map<string, RunningJob>();
  let last = Promise.resolve();
  const look = () => {
    const now = new Map(options.running().map((job) => [job.id, job]));
    for (const job of before.values()) {
      if (now.has(job.id)) continue;
      last = last
        .then(() => endIfLost(options, job))
        .catch((thrown: unknown) => {
          log.error({ err: asError(thrown), job: job.id }, 'could not end a lost call');
        });
    }
    before = now;
  };
  const timer = setInterval(look, LOOK_MS);
  releases.add('job watch', async () => {
    clearInterval(timer);
    look();
    await last;
  });
}

/** Ends the call of a job whose process is gone, where it did not do so itself. */
async function endIfLost(deps: LostJobsDeps, job: RunningJob): Promise<void> {
  if ((await deps.redis.srem(RUNNING, job.id)) === 0) return;
  deps.onLost?.();
  const deleted = deleteRoom({ rooms: deps.rooms, log: deps.log.child({ job: job.id }) }, job.room);
  const metadata = jobMetadataSchema.parse(JSON.parse(job.metadata));
  const id = await callIdOf(deps.redis, job, metadata);
  deps.log.error({ call: id, job: job.id }, 'an agent process died during its call');
  if (id !== undefined) {
    await tellRecording(deps, id);
    await deps.events.publish('call.ended', id, {
      outcome: 'failed',
      reason: 'The process of the agent died.',
      hungUpBy: 'system',
    });
    await leaveLiveCall(deps.redis, { id, trunk: metadata.trunk });
  }
  await deleted;
}

/** What the process had recorded until it died. */
async function tellRecording(deps: LostJobsDeps, id: CallId): Promise<void> {
  try {
    const recorded = await finishRecording(deps.recordings, recordingFile(id));
    if (recorded) await deps.events.publish('call.recorded', id, recorded);
  } catch (thrown) {
    deps.log.error({ err: asError(thrown), call: id }, 'could not finish a recording');
  }
}

async function callIdOf(
  redis: Redis,
  job: RunningJob,
  metadata: JobMetadata,
): Promise<CallId | undefined> {
  return metadata.direction === 'outbound' ? metadata.callId : findCallId(redis, job.room);
}
