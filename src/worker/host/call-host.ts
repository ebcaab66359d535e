import type { CallId } from '../../call/call-id.ts';
import { jobMetadataSchema } from '../../call/job-metadata.ts';
import { asError } from '../../platform/errors.ts';
import type { FromHost, HostCall } from '../hosts/host-message.ts';
import { runCall } from '../run-call.ts';
import type { WorkerDeps } from '../worker-deps.ts';
import { CallRoom } from './call-room.ts';
import type { CallScope } from './call-scope.ts';

/**
 * livekit-server orders an agent to stop when it ends the room. The far end's leaving, which tells why, arrives
 * within this time.
 */
const REASON_MS = 500;

type Running = { stop: AbortController; timer?: NodeJS.Timeout };

/** The calls of one host process. */
export class CallHost {
  readonly #deps: WorkerDeps;
  readonly #scope: CallScope;
  readonly #tell: (message: FromHost) => void;
  readonly #onEmpty: () => void;
  readonly #runs = new Map<string, Running>();

  constructor(options: {
    deps: WorkerDeps;
    scope: CallScope;
    tell: (message: FromHost) => void;
    /** Called when the last call is over. */
    onEmpty: () => void;
  }) {
    this.#deps = options.deps;
    this.#scope = options.scope;
    this.#tell = options.tell;
    this.#onEmpty = options.onEmpty;
  }

  get calls(): number {
    return this.#runs.size;
  }

  run(call: HostCall): void {
    const running: Running = { stop: new AbortController() };
    this.#runs.set(call.run, running);
    void this.#scope.run(call.job, async () => {
      try {
        await this.#run(call, running.stop.signal);
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

  /** Ends all calls, telling the ledger. */
  stopAll(): void {
    for (const { stop } of this.#runs.values()) stop.abort();
  }

  async #run(call: HostCall, stop: AbortSignal): Promise<void> {
    const { run } = call;
    const metadata = jobMetadataSchema.parse(JSON.parse(call.metadata));
    const room = new CallRoom();
    try {
      await room.connect(call.url, call.token, { autoSubscribe: true, dynacast: false });
      await runCall(this.#deps, {
        room,
        metadata,
        agent: run,
        stop,
        onEndTold: () => this.#tell({ case: 'ended', value: { run } }),
        onIdentified: (id: CallId) => {
          this.#scope.identify(id);
          this.#tell({ case: 'identified', value: { run, call: id } });
        },
      });
    } finally {
      await room.leave();
    }
  }
}
