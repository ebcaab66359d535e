import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../platform/errors.ts';
import type { StackPlan } from './process-specs.ts';
import type { LogLimits } from './log-file.ts';
import { waitUntilReady } from './probe.ts';
import { removeStackState, startTicksOf, writeStackState, type StackState } from './state-file.ts';
import { SupervisedProcess, type ProcessSpec } from './supervised-process.ts';

/** A process must answer within this time, on a slow machine too. */
const READY_LIMIT_MS = 90_000;
/** A process that ended this often before it was ready will not come up by itself. */
const HOPELESS_RESTARTS = 4;

export type StackProgress = (event: {
  process: string;
  state: 'starting' | 'ready';
  ms: number;
}) => void;

/** All processes of one machine: started step by step, kept running, stopped in order. */
export class Stack {
  readonly #plan: StackPlan;
  readonly #processes = new Map<string, SupervisedProcess>();
  readonly #files: { logs: string; state: string };
  readonly #logLimits: LogLimits;
  readonly #cwd: string;
  readonly #startedAt = Date.now();
  readonly #stopping = new AbortController();
  #stateTimer: NodeJS.Timeout | undefined;

  constructor(
    plan: StackPlan,
    options: { cwd: string; logs: string; logLimits: LogLimits; state: string },
  ) {
    this.#plan = plan;
    this.#cwd = options.cwd;
    this.#logLimits = options.logLimits;
    this.#files = { logs: options.logs, state: options.state };
    mkdirSync(options.logs, { recursive: true });
  }

  get processes(): SupervisedProcess[] {
    return [...this.#processes.values()];
  }

  /**
   * Starts everything and waits for its health. `between` runs after each step that has become ready.
   * @throws OperatorError with the last lines of the log of the first process that does not come up.
   */
  async start(progress: StackProgress): Promise<void> {
    this.#stateTimer = setInterval(() => this.#writeState(), 1000);
    for (const step of this.#plan.steps) {
      await Promise.all(step.map((spec) => this.#startOne(spec, progress)));
      this.#writeState();
    }
  }

  /** Stops everything in order. Safe at any moment, also in the middle of `start`. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#stateTimer);
    for (const name of this.#plan.stopOrder) await this.#processes.get(name)?.stop();
    removeStackState(this.#files.state);
  }

  async #startOne(spec: ProcessSpec, progress: StackProgress): Promise<void> {
    if (this.#stopping.signal.aborted) throw new OperatorError('Stopped while starting.');
    const child = new SupervisedProcess(spec, {
      cwd: this.#cwd,
      logPath: path.join(this.#files.logs, `${spec.name}.log`),
      logLimits: this.#logLimits,
    });
    this.#processes.set(spec.name, child);
    const began = Date.now();
    progress({ process: spec.name, state: 'starting', ms: 0 });
    child.start();
    const hopeless = new AbortController();
    const ready = await waitUntilReady(
      async () => {
        if (child.restarts >= HOPELESS_RESTARTS) hopeless.abort();
        return child.state !== 'restarting' && (await spec.ready());
      },
      READY_LIMIT_MS,
      AbortSignal.any([hopeless.signal, this.#stopping.signal]),
    );
    if (!ready) {
      if (this.#stopping.signal.aborted) throw new OperatorError('Stopped while starting.');
      const how = hopeless.signal.aborted ? 'ends again and again' : 'does not answer';
      throw new OperatorError(`${spec.name} ${how}. Its last words:\n${child.log.lastLines}`, {
        remedy: `Its whole log is in ${child.log.path}`,
      });
    }
    child.markRunning();
    progress({ process: spec.name, state: 'ready', ms: Date.now() - began });
  }

  #writeState(): void {
    const state: StackState = {
      pid: process.pid,
      startTicks: startTicksOf(process.pid),
      startedAt: this.#startedAt,
      logs: this.#files.logs,
      processes: this.processes.map((child) => ({
        name: child.name,
        pid: child.pid,
        startTicks: startTicksOf(child.pid),
        state: child.state,
        restarts: child.restarts,
        startedAt: child.startedAt,
      })),
    };
    writeStackState(this.#files.state, state);
  }
}
