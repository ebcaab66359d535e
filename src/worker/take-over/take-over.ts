import { TwirpError, type RoomServiceClient } from 'livekit-server-sdk';
import { attendanceOf, vacate, type TakeOverCause } from '../../call/attendance.ts';
import type { CallId } from '../../call/call-id.ts';
import { jobMetadataSchema, type JobMetadata } from '../../call/job-metadata.ts';
import { getLiveCall } from '../../call/live-calls.ts';
import { findCallId } from '../../call/room-call-id.ts';
import type { Config } from '../../platform/config.ts';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Redis } from '../../platform/redis.ts';
import { deleteRoom } from '../call-room.ts';
import type { HostPool } from '../hosts/host-pool.ts';
import type { HostRun, LossCause } from '../hosts/host-process.ts';
import { agentToken } from './agent-token.ts';
import { nextRun } from './run-name.ts';

/** Longest wait for a host; then the watchdog finds another worker, or ends the call properly. */
const HOST_MS = 3000;

export type TakeOverDeps = {
  config: Config;
  redis: Redis;
  rooms: Pick<RoomServiceClient, 'removeParticipant' | 'deleteRoom'>;
  pool: () => Pick<HostPool, 'place'>;
  log: Log;
  onTakenOver?: (cause: LossCause) => void;
  /** The call is left to the watchdog. */
  onGivenUp?: () => void;
};

/**
 * What becomes of the calls of a host that died: for each, its agent's ghost is removed from the room (it would
 * stay for 21 s), and another host goes on with the call.
 *
 *     run lost ─┬─ its end was on record ──▶ the room is closed
 *               ├─ it attended the call ──▶ vacated ──▶ run again, with `takeOver`
 *               └─ nobody attended yet ──▶ run again from the beginning
 */
export class TakeOver {
  readonly #deps: TakeOverDeps;
  readonly #pending = new Map<string, HostRun>();

  constructor(deps: TakeOverDeps) {
    this.#deps = deps;
  }

  /** Calls that are on their way to another host. */
  get pending(): readonly HostRun[] {
    return [...this.#pending.values()];
  }

  lost(runs: readonly HostRun[], cause: LossCause): void {
    for (const run of runs) {
      this.#pending.set(run.run, run);
      this.#goOn(run, cause)
        .catch((thrown: unknown) => {
          this.#deps.log.error(
            { err: asError(thrown), job: run.job, call: run.callId },
            'could not take a call over',
          );
          this.#deps.onGivenUp?.();
        })
        .finally(() => this.#pending.delete(run.run));
    }
  }

  async #goOn(run: HostRun, cause: LossCause): Promise<void> {
    const { rooms, log } = this.#deps;
    if (run.ended) {
      await deleteRoom({ rooms, log }, run.room);
      return;
    }
    const removed = this.#removeGhost(run);
    const metadata = await this.#vacated(run, cause);
    if (metadata) await this.#runAgain(run, metadata, cause);
    await removed;
  }

  /** What the next agent is told; undefined where none is needed from here. */
  async #vacated(run: HostRun, cause: TakeOverCause): Promise<JobMetadata | undefined> {
    const { redis } = this.#deps;
    const metadata = jobMetadataSchema.parse(JSON.parse(run.metadata));
    const callId = await this.#callIdOf(run, metadata);
    if (callId === undefined) return metadata;
    const won = await vacate(redis, callId, { agent: run.run, cause });
    const attendance = await attendanceOf(redis, callId);
    if (won && attendance?.state === 'vacant') {
      return { ...metadata, takeOver: { callId, cause, lostAt: attendance.at } };
    }
    // Somebody else sees to it already, or it has just ended.
    if (attendance) return undefined;
    return (await getLiveCall(redis, callId)) ? metadata : undefined;
  }

  async #runAgain(lost: HostRun, metadata: JobMetadata, cause: LossCause): Promise<void> {
    const { config, log, pool } = this.#deps;
    const { job, room, url } = lost;
    const identity = nextRun(lost.run);
    const again = async (run: string): Promise<boolean> => {
      const token = await agentToken(config, { room, identity: run });
      const call = { run, job, room, metadata: JSON.stringify(metadata), url, token };
      return pool().place(call, { withinMs: HOST_MS, beyondLimit: true });
    };
    const fields = { job, call: lost.callId, cause };
    if (identity !== undefined && (await again(identity))) {
      log.warn(fields, 'a call goes on with another agent');
      this.#deps.onTakenOver?.(cause);
      return;
    }
    log.error(fields, 'no agent for a call whose agent was lost');
    this.#deps.onGivenUp?.();
  }

  async #callIdOf(run: HostRun, metadata: JobMetadata): Promise<CallId | undefined> {
    if (run.callId !== undefined) return run.callId as CallId;
    if (metadata.direction === 'outbound') return metadata.callId;
    return findCallId(this.#deps.redis, run.room);
  }

  async #removeGhost(run: HostRun): Promise<void> {
    const { rooms, log } = this.#deps;
    try {
      await rooms.removeParticipant(run.room, run.run);
    } catch (thrown) {
      if (thrown instanceof TwirpError && thrown.code === 'not_found') return;
      log.warn({ err: asError(thrown), job: run.job }, 'could not remove a lost agent');
    }
  }
}
