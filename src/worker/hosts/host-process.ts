import { fork, type ChildProcess } from 'node:child_process';
import { asError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { CallSign } from '../call-sign.ts';
import { isStuck, type Silence } from './stuck.ts';
import { readMainThread } from './thread-state.ts';
import type { Ailment, FromHost, HostCall, HostFigures, ToHost } from './host-message.ts';

/** A run on a host, as its parent knows it. */
export type HostRun = HostCall & {
  /** Id of the call, once the host has told it. */
  callId: string | undefined;
  /** Whether the end of the call is on record. */
  ended: boolean;
};

export type LossCause = 'host_died' | 'host_stuck';

export type HostEvents = {
  ready: (host: HostProcess) => void;
  ended: (run: HostRun) => void;
  /** Nothing of a run is left on the host. */
  over: (run: HostRun, host: HostProcess) => void;
  ailing: (host: HostProcess, ailment: Ailment) => void;
  /** Something is wrong within a call. */
  noticed: (sign: CallSign) => void;
  /**
   * The host is gone, and with it the agents of these runs.
   * @param loss why; undefined where it was retired and had finished its calls
   */
  gone: (host: HostProcess, runs: HostRun[], loss: LossCause | undefined) => void;
};

export type HostTimes = {
  pingMs: number;
  /** A host that has not answered for so long, and could have, is stuck: its callers hear nothing any more. */
  stuckMs: number;
  /** Longest time until a new host is ready. */
  startMs: number;
};

export const HOST_TIMES: HostTimes = { pingMs: 500, stuckMs: 2000, startMs: 60_000 };

/**
 * A host as its parent sees it.
 *
 *     starting ──ready──▶ ready ──retire──▶ retiring ──last call over──▶ gone
 *         └──────────────────┴── dies, or is killed because it is stuck ──▲
 */
export class HostProcess {
  readonly id: string;
  readonly startedAt = Date.now();
  readonly #child: ChildProcess;
  readonly #events: HostEvents;
  readonly #log: Log;
  readonly #times: HostTimes;
  readonly #runs = new Map<string, HostRun>();
  readonly #timer: NodeJS.Timeout;
  #state: 'starting' | 'ready' | 'retiring' | 'gone' = 'starting';
  #stuck = false;
  #heardAt = performance.now();
  #lookedAt = performance.now();
  /** Processor time of its main thread at the first look since it was heard, in ms. */
  #computedWhenHeard: number | undefined;
  #figures: HostFigures = {
    lagP50: 0,
    lagP99: 0,
    rssBytes: 0,
    open: { timers: 0, sockets: 0, native_listeners: 0 },
  };
  /** Runs that this host was given since it started. */
  served = 0;
  /** Another host is to take its place as soon as it is ready. */
  outgoing = false;

  constructor(options: {
    id: string;
    main: string;
    execArgv: string[];
    events: HostEvents;
    log: Log;
    times?: HostTimes;
  }) {
    this.id = options.id;
    this.#events = options.events;
    this.#log = options.log.child({ host: options.id });
    this.#times = options.times ?? HOST_TIMES;
    this.#child = fork(options.main, [options.id], { execArgv: options.execArgv });
    this.#child.on('message', (message) => this.#take(message as FromHost));
    // A message to a host that is just dying fails; its exit is told all the same.
    this.#child.on('error', (error) => this.#log.warn({ err: error }, 'a host failed'));
    this.#child.once('exit', (code, signal) => this.#exited(signal ?? `code ${code}`));
    this.#timer = setInterval(() => this.#look(), this.#times.pingMs);
  }

  get state(): 'starting' | 'ready' | 'retiring' | 'gone' {
    return this.#state;
  }
  /** Its number among the hosts of the worker, for figures. */
  get name(): string {
    return this.id.slice(this.id.lastIndexOf('.') + 1);
  }
  get pid(): number | undefined {
    return this.#child.pid;
  }
  get runs(): HostRun[] {
    return [...this.#runs.values()];
  }
  get calls(): number {
    return this.#runs.size;
  }
  get figures(): HostFigures {
    return this.#figures;
  }

  run(call: HostCall): void {
    this.#runs.set(call.run, { ...call, callId: undefined, ended: false });
    this.served += 1;
    this.#send({ case: 'run', value: call });
  }

  /** Tells the host something about one of its runs; false where it has no such run. */
  tell(what: 'stop' | 'letGo' | 'endCall', run: string): boolean {
    if (!this.#runs.has(run)) return false;
    this.#send({ case: what, value: { run } });
    return true;
  }

  /** No further calls; it exits when those it has are over. */
  retire(): void {
    if (this.#state === 'gone' || this.#state === 'retiring') return;
    this.#state = 'retiring';
    this.#send({ case: 'retire', value: {} });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Resolves when the process is gone. */
  async exited(): Promise<void> {
    if (this.#state === 'gone') return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.once('exit', () => resolve());
    await promise;
  }

  #send(message: ToHost): void {
    if (!this.#child.connected) return;
    this.#child.send(message, (error) => {
      if (error) this.#log.debug({ err: asError(error) }, 'a host did not take a message');
    });
  }

  #take(message: FromHost): void {
    this.#heard(performance.now());
    switch (message.case) {
      case 'ready':
        if (this.#state === 'starting') this.#state = 'ready';
        this.#events.ready(this);
        return;
      case 'pong': {
        const { lagP50, lagP99, rssBytes, open } = message.value;
        this.#figures = { lagP50, lagP99, rssBytes, open };
        return;
      }
      case 'identified': {
        const run = this.#runs.get(message.value.run);
        if (run) run.callId = message.value.call;
        return;
      }
      case 'ended': {
        const run = this.#runs.get(message.value.run);
        if (!run) return;
        run.ended = true;
        this.#events.ended(run);
        return;
      }
      case 'over': {
        const run = this.#runs.get(message.value.run);
        if (!run) return;
        this.#runs.delete(run.run);
        this.#events.over(run, this);
        return;
      }
      case 'noticed':
        this.#events.noticed(message.value.sign);
        return;
      case 'ailing':
        this.#events.ailing(this, message.value.ailment);
    }
  }

  #heard(now: number): void {
    this.#heardAt = now;
    this.#computedWhenHeard = undefined;
  }

  #look(): void {
    const now = performance.now();
    // Where we were held up ourselves (the machine slept, the group was stopped), the host may have been, too.
    const late = now - this.#lookedAt > this.#times.stuckMs / 2;
    this.#lookedAt = now;
    if (late) this.#heard(now);
    const silentMs = now - this.#heardAt;
    // A host that is being made ready waits for others, and computes little meanwhile.
    const stuck =
      this.#state === 'starting'
        ? silentMs > this.#times.startMs
        : isStuck({ silentMs, thread: this.#thread() }, this.#times.stuckMs);
    if (stuck && !this.#stuck) {
      this.#stuck = true;
      this.#log.error('a host does not answer and is killed');
      this.kill();
      return;
    }
    this.#send({ case: 'ping', value: { at: now } });
  }

  /** Its main thread, and what it has computed since the host was last heard. */
  #thread(): Silence['thread'] {
    const thread = this.pid === undefined ? undefined : readMainThread(this.pid);
    if (!thread) return undefined;
    this.#computedWhenHeard ??= thread.processorMs;
    return { ...thread, processorMs: thread.processorMs - this.#computedWhenHeard };
  }

  #exited(how: string): void {
    clearInterval(this.#timer);
    const planned = this.#state === 'retiring' && this.#runs.size === 0;
    this.#state = 'gone';
    const runs = this.runs;
    this.#runs.clear();
    if (!planned) this.#log.error({ how, calls: runs.length }, 'a host died');
    const loss = this.#stuck ? 'host_stuck' : 'host_died';
    this.#events.gone(this, runs, planned ? undefined : loss);
  }
}
