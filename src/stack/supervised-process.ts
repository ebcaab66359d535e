import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { asError } from '../platform/errors.ts';
import { LogFile, type LogLimits } from './log-file.ts';
import type { Probe } from './probe.ts';
import { killGroup, LingeringGroups } from './process-group.ts';

/** How one process of the stack is run. */
export type ProcessSpec = {
  name: string;
  command: string;
  args: readonly string[];
  environment: Record<string, string | undefined>;
  ready: Probe;
  /** Signals that end it, one after the other, and how long each may take, in ms. */
  stop: readonly { signal: NodeJS.Signals; withinMs: number }[];
  /** Where it dies, what it started goes on to an end of its own, at the latest until `stop`. */
  leavesGroup?: boolean;
};

export type ProcessState = 'starting' | 'running' | 'restarting' | 'stopped';

const RESTART_MS = { first: 200, most: 10_000 };
/** A process that has run this long is healthy again: the next restart comes quickly. */
const STEADY_MS = 30_000;

/**
 * Keeps one process running:
 *
 *     starting ──▶ running ──exit──▶ restarting ──backoff──▶ running
 *         └───────────┴──────stop()──────┴──▶ stopped
 *
 * The child leads a process group of its own, so that a Ctrl-C in the terminal reaches only the supervisor,
 * and whatever the child leaves behind ends with its group; that of a child with `leavesGroup`, when this is
 * stopped.
 */
export class SupervisedProcess {
  readonly spec: ProcessSpec;
  readonly log: LogFile;
  readonly #cwd: string;
  readonly #lingering = new LingeringGroups();
  #child: ChildProcess | undefined;
  #state: ProcessState = 'stopped';
  #restarts = 0;
  #backoffMs = RESTART_MS.first;
  #startedAt = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(spec: ProcessSpec, options: { cwd: string; logPath: string; logLimits?: LogLimits }) {
    this.spec = spec;
    this.#cwd = options.cwd;
    this.log = new LogFile(options.logPath, options.logLimits);
  }

  get name(): string {
    return this.spec.name;
  }

  get state(): ProcessState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get startedAt(): number {
    return this.#startedAt;
  }

  start(): void {
    this.#state = 'starting';
    this.#spawn();
  }

  /** Says that the process answered for the first time. */
  markRunning(): void {
    if (this.#state === 'starting') this.#state = 'running';
  }

  /** Ends the process with its own signals, then its whole group by SIGKILL. Resolves when it is gone. */
  async stop(): Promise<void> {
    const restarting = this.#state === 'restarting';
    clearTimeout(this.#restartTimer);
    this.#state = 'stopped';
    const child = this.#child;
    if (child?.pid !== undefined && !restarting) {
      for (const { signal, withinMs } of this.spec.stop) {
        if (hasExited(child)) break;
        child.kill(signal);
        await Promise.race([once(child, 'exit'), delay(withinMs, undefined, { ref: false })]);
      }
      killGroup(child.pid);
      if (!hasExited(child)) await once(child, 'exit');
    }
    this.#lingering.kill();
    await this.log.close();
  }

  #spawn(): void {
    this.#startedAt = Date.now();
    const child = spawn(this.spec.command, this.spec.args, {
      cwd: this.#cwd,
      env: this.spec.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    this.log.follow(child.stdout);
    this.log.follow(child.stderr);
    child.once('error', (error) => {
      this.log.write(`could not be started: ${error.message}`);
      this.#exited(child, asError(error).message);
    });
    child.once('exit', (code, signal) => this.#exited(child, signal ?? `code ${code}`));
  }

  #exited(child: ChildProcess, how: string): void {
    if (child !== this.#child || this.#state === 'stopped' || this.#state === 'restarting') return;
    if (child.pid !== undefined) {
      if (this.spec.leavesGroup) this.#lingering.add(child.pid);
      else killGroup(child.pid);
    }
    this.#state = 'restarting';
    this.#restarts += 1;
    this.log.write(`ended (${how}); it is started again`);
    if (Date.now() - this.#startedAt > STEADY_MS) this.#backoffMs = RESTART_MS.first;
    const wait = this.#backoffMs;
    this.#backoffMs = Math.min(wait * 2, RESTART_MS.most);
    this.#restartTimer = setTimeout(() => {
      this.#state = 'running';
      this.#spawn();
    }, wait);
  }
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
