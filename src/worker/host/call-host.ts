import { DisconnectReason, RoomEvent } from '@livekit/rtc-node';
import type { CallId } from '../../call/call-id.ts';
import { attendanceOf, vacate, type TakeOverCause } from '../../call/attendance.ts';
import { jobMetadataSchema, type JobMetadata } from '../../call/job-metadata.ts';
import { asError } from '../../platform/errors.ts';
import type { FromHost, HostCall } from '../hosts/host-message.ts';
import { runCall } from '../run-call.ts';
import type { TalkControl } from '../talk-control.ts';
import type { WorkerDeps } from '../worker-deps.ts';
import { CallRoom } from './call-room.ts';
import type { CallScope } from './call-scope.ts';

/**
 * livekit-server orders an agent to stop when it ends the room. The far end's leaving, which tells why, arrives
 * within this time.
 */
const REASON_MS = 500;

/** Longest wait for the end of the agent's sentence before a call is handed over. */
const SENTENCE_MS = 3000;

/** Why a room is left by an agent whose call is over. For any other reason the call may go on without it. */
const ENDED: ReadonlySet<DisconnectReason> = new Set([
  DisconnectReason.CLIENT_INITIATED,
  DisconnectReason.ROOM_DELETED,
  DisconnectReason.ROOM_CLOSED,
]);

type TakeOverOrder = NonNullable<JobMetadata['takeOver']>;

type Running = {
  call: HostCall;
  stop: AbortController;
  letGo: AbortController;
  callId?: CallId;
  control?: TalkControl;
  timer?: NodeJS.Timeout;
  lettingGo?: boolean;
  /** The agent has lost its room, and the call may go on there. */
  cutOff?: boolean;
  /** Told to the agent that goes on with the call, once this one has left the room. */
  takeOver?: TakeOverOrder | undefined;
};

/** The calls of one host process. */
export class CallHost {
  readonly #deps: WorkerDeps;
  readonly #scope: CallScope;
  readonly #tell: (message: FromHost) => void;
  readonly #onEmpty: () => void;
  readonly #dispatch: (room: string, metadata: JobMetadata) => Promise<unknown>;
  readonly #runs = new Map<string, Running>();

  constructor(options: {
    deps: WorkerDeps;
    scope: CallScope;
    tell: (message: FromHost) => void;
    /** Asks livekit-server for another agent in a room. */
    dispatch: (room: string, metadata: JobMetadata) => Promise<unknown>;
    /** Called when the last call is over. */
    onEmpty: () => void;
  }) {
    this.#deps = options.deps;
    this.#scope = options.scope;
    this.#tell = options.tell;
    this.#dispatch = options.dispatch;
    this.#onEmpty = options.onEmpty;
  }

  get calls(): number {
    return this.#runs.size;
  }

  run(call: HostCall): void {
    const running: Running = {
      call,
      stop: new AbortController(),
      letGo: new AbortController(),
    };
    this.#runs.set(call.run, running);
    void this.#scope.run(call.job, async () => {
      try {
        await this.#run(running);
      } catch (thrown) {
        this.#deps.log.error({ err: asError(thrown) }, 'could not begin a call');
      }
      clearTimeout(running.timer);
      this.#runs.delete(call.run);
      this.#tell({ case: 'over', value: { run: call.run } });
      if (this.#runs.size === 0) this.#onEmpty();
    });
  }

  /** livekit-server has ended the job. */
  stop(run: string): void {
    const running = this.#runs.get(run);
    if (!running) return;
    running.timer ??= setTimeout(() => running.stop.abort(), REASON_MS);
  }

  /**
   * Leaves a call to an agent of another worker, when the own agent has finished its sentence. A call that no
   * agent attends yet is not left: it is asked for again.
   */
  async letGo(run: string): Promise<void> {
    const running = this.#runs.get(run);
    if (!running?.callId || running.lettingGo) return;
    running.lettingGo = true;
    await running.control?.pause(SENTENCE_MS);
    running.takeOver = await this.#vacate(running, 'handover');
    running.lettingGo = false;
    if (running.takeOver) leaveSilently(running);
  }

  /** Ends a call for which there is no time any more. */
  endCall(run: string): void {
    const running = this.#runs.get(run);
    if (running?.control) running.control.endWithWords();
    else running?.stop.abort();
  }

  /** Ends all calls, telling the ledger. */
  stopAll(): void {
    for (const { stop } of this.#runs.values()) stop.abort();
  }

  /** What the next agent is told; undefined where the call was not ours any more, or nobody's yet. */
  async #vacate(
    { call, callId }: Running,
    cause: TakeOverCause,
  ): Promise<TakeOverOrder | undefined> {
    if (!callId) return undefined;
    const { redis } = this.#deps;
    if (!(await vacate(redis, callId, { agent: call.run, cause }))) return undefined;
    const vacant = await attendanceOf(redis, callId);
    return vacant?.state === 'vacant' ? { callId, cause, lostAt: vacant.at } : undefined;
  }

  async #run(running: Running): Promise<void> {
    const { call, stop, letGo } = running;
    const { run } = call;
    const metadata = jobMetadataSchema.parse(JSON.parse(call.metadata));
    const room = new CallRoom();
    try {
      await room.connect(call.url, call.token, { autoSubscribe: true, dynacast: false });
      // Before the call's own listeners: it must not take it for the end.
      room.once(RoomEvent.Disconnected, (reason) => {
        if (ENDED.has(reason)) return;
        this.#deps.log.warn({ reason: DisconnectReason[reason] }, 'an agent was cut off');
        running.cutOff = true;
        leaveSilently(running);
      });
      await runCall(this.#deps, {
        room,
        metadata,
        agent: run,
        stop: stop.signal,
        letGo: letGo.signal,
        onTalking: (control) => {
          running.control = control;
        },
        onEndTold: () => this.#tell({ case: 'ended', value: { run } }),
        onIdentified: (id: CallId) => {
          running.callId = id;
          this.#scope.identify(id);
          this.#tell({ case: 'identified', value: { run, call: id } });
        },
      });
    } finally {
      await room.leave();
    }
    const takeOver =
      running.takeOver ?? (running.cutOff ? await this.#vacate(running, 'worker_lost') : undefined);
    if (takeOver) await this.#dispatch(call.room, { ...metadata, takeOver });
  }
}

function leaveSilently({ letGo, stop }: Running): void {
  letGo.abort();
  stop.abort();
}
