import { setTimeout as sleep } from 'node:timers/promises';
import {
  AvailabilityResponse,
  JobStatus,
  UpdateJobStatus,
  UpdateWorkerStatus,
  WorkerStatus,
  type AvailabilityRequest,
  type Job,
  type JobAssignment,
} from '@livekit/protocol';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { AgentSocket, type SocketOptions } from './agent-socket.ts';
import { backoffMs } from './backoff.ts';

/**
 * The load of a full worker, as livekit-server is told. A worker that says more than `agents.target_load` (0.7)
 * is passed over even where it is the only one and has room: livekit-server drops the job.
 */
const MOST_LOAD = 0.6;

export type LinkOptions = Omit<SocketOptions, 'onMessage'> & {
  log: Log;
  /** The agent's identity where this worker takes the job, else undefined. */
  onOffer: (job: Job) => Promise<string | undefined>;
  /** A job that was taken. */
  onAssigned: (job: Job, access: { url: string; token: string }) => void;
  /** livekit-server has ended a job: its room is gone, or its agent was removed. */
  onTerminated: (jobId: string) => void;
  /** The connection was lost; it is made again until `close`. */
  onLost?: () => void;
};

/** How much a worker carries. */
export type Carried = { calls: number; /** From 0 to 1. */ load: number; full: boolean };

/**
 * The connection through which livekit-server gives this worker its jobs.
 *
 *     connecting ──▶ registered ──lost──▶ waiting ──backoff──▶ connecting ──▶ …
 *
 * It is made again for ever. Calls that run do not depend on it: their agents are in their rooms.
 */
export class WorkerLink {
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #socket: AgentSocket | undefined;
  #carried: Carried = { calls: 0, load: 0, full: false };

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get registered(): boolean {
    return this.#socket !== undefined;
  }

  /** Tells livekit-server at once, where it is something new. */
  tell(carried: Carried): void {
    const before = this.#carried;
    this.#carried = carried;
    const same =
      before.calls === carried.calls &&
      before.load === carried.load &&
      before.full === carried.full;
    if (!same) this.#tellCarried();
  }

  /** Tells livekit-server that a job is over. */
  finished(jobId: string): void {
    const value = new UpdateJobStatus({ jobId, status: JobStatus.JS_SUCCESS });
    this.#socket?.send({ case: 'updateJob', value });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#socket?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#closing;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const socket = await AgentSocket.open({
          ...this.#options,
          onMessage: (message) => this.#take(message),
        });
        if (signal.aborted) {
          socket.close();
          return;
        }
        this.#socket = socket;
        attempt = 0;
        log.info('registered with livekit-server');
        this.#tellCarried();
        await socket.closed();
        this.#socket = undefined;
        if (signal.aborted) return;
        log.warn('the connection to livekit-server was lost');
        this.#options.onLost?.();
      } catch (thrown) {
        log.warn({ err: asError(thrown), attempt }, 'could not register with livekit-server');
      }
      await sleep(backoffMs(attempt), undefined, { signal }).catch(() => undefined);
    }
  }

  #take(message: Parameters<SocketOptions['onMessage']>[0]): void {
    switch (message.case) {
      case 'availability':
        void this.#answer(message.value);
        return;
      case 'assignment':
        this.#assigned(message.value);
        return;
      case 'termination':
        this.#options.onTerminated(message.value.jobId);
        return;
      case 'register':
      case 'pong':
      case undefined:
    }
  }

  async #answer({ job }: AvailabilityRequest): Promise<void> {
    if (!job) return;
    // The answer belongs to the connection over which it was asked.
    const socket = this.#socket;
    let identity: string | undefined;
    try {
      identity = await this.#options.onOffer(job);
    } catch (thrown) {
      this.#options.log.error({ err: asError(thrown), job: job.id }, 'could not decide on a job');
    }
    const value = new AvailabilityResponse({
      jobId: job.id,
      available: identity !== undefined,
      ...(identity === undefined
        ? {}
        : { participantIdentity: identity, participantName: identity }),
    });
    socket?.send({ case: 'availability', value });
  }

  #assigned({ job, url, token }: JobAssignment): void {
    if (job) this.#options.onAssigned(job, { url: url || this.#options.url, token });
  }

  #tellCarried(): void {
    const { calls, load, full } = this.#carried;
    const value = new UpdateWorkerStatus({
      status: full ? WorkerStatus.WS_FULL : WorkerStatus.WS_AVAILABLE,
      load: Math.min(1, load) * MOST_LOAD,
      jobCount: calls,
    });
    this.#socket?.send({ case: 'updateWorker', value });
  }
}
