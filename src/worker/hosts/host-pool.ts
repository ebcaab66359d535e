import type { Log } from '../../platform/log.ts';
import { within } from '../within.ts';
import type { CallSign } from '../call-sign.ts';
import type { Ailment, HostCall } from './host-message.ts';
import {
  HOST_TIMES,
  HostProcess,
  type HostRun,
  type HostTimes,
  type LossCause,
} from './host-process.ts';
import { reasonToRecycle, type RecycleLimits } from './recycle.ts';

const RESTART_MS = { first: 200, most: 10_000 };

export type PoolOptions = {
  /** Path of the host's main file. */
  main: string;
  execArgv?: string[];
  /** The hosts are named `<id>.<n>`. */
  id: string;
  /** Hosts that stand ready for calls. */
  hosts: number;
  callsPerHost: number;
  /** A process for each call, which ends with it; one further process stands ready. */
  isolated?: boolean;
  recycle: RecycleLimits;
  /** A host whose event loop is later than this, in ms, gets no further call. */
  fullLagMs: number;
  log: Log;
  times?: HostTimes;
  events: PoolEvents;
};

type PoolEvents = {
  /** The end of a call is on record. */
  ended?: (run: HostRun) => void;
  /** A run is over; its slot is free. */
  over: (run: HostRun) => void;
  /** A host is gone, and with it the agents of these runs. */
  lost: (runs: HostRun[], cause: LossCause) => void;
  recycled?: (reason: string) => void;
  /** Something is wrong within a call. */
  noticed?: (sign: CallSign) => void;
  /** Calls, or room for calls, are other than before. */
  changed?: () => void;
};

type Waiting = { resolve: (host: HostProcess | undefined) => void; beyondLimit: boolean };

/** The host processes of a worker: started, watched, recycled, and given calls. */
export class HostPool {
  readonly #options: PoolOptions;
  readonly #hosts = new Set<HostProcess>();
  readonly #waiting: Waiting[] = [];
  #next = 1;
  #restartMs = RESTART_MS.first;
  #restart: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#fill();
  }

  get hosts(): readonly HostProcess[] {
    return [...this.#hosts];
  }
  get runs(): HostRun[] {
    return this.hosts.flatMap((host) => host.runs);
  }
  /** Further calls that the hosts take now. */
  get vacancies(): number {
    if (this.#isolated) return this.hosts.some(({ state }) => state === 'ready') ? Infinity : 0;
    return this.hosts
      .filter((host) => this.#takesCalls(host))
      .reduce((sum, { calls }) => sum + this.#options.callsPerHost - calls, 0);
  }
  get #isolated(): boolean {
    return this.#options.isolated ?? false;
  }

  /** Resolves when a host is ready. */
  async ready(): Promise<void> {
    while (!this.#closing && !this.hosts.some(({ state }) => state === 'ready')) {
      const host = await this.#freeHost(60_000, true);
      if (host) return;
    }
  }

  /**
   * Gives a call to the host with the fewest.
   * @param options.beyondLimit also where all have as many as they should: a caller waits already
   * @returns false where none could be had in time
   */
  async place(
    call: HostCall,
    options: { withinMs: number; beyondLimit?: boolean },
  ): Promise<boolean> {
    const beyond = options.beyondLimit ?? false;
    const host = this.#pick(beyond) ?? (await this.#freeHost(options.withinMs, beyond));
    if (!host) return false;
    host.run(call);
    if (this.#isolated) host.retire();
    this.#fill();
    this.#options.events.changed?.();
    return true;
  }

  /** Tells the host of a run something about it. */
  tell(what: 'stop' | 'letGo' | 'endCall', run: string): boolean {
    return this.hosts.some((host) => host.tell(what, run));
  }

  /** No host is started again, and each ends with its last call. */
  retire(): void {
    this.#closing = true;
    clearTimeout(this.#restart);
    for (const host of this.#hosts) host.retire();
    for (const { resolve } of this.#waiting.splice(0)) resolve(undefined);
  }

  /** Retires the hosts, and resolves when they are gone or the time is over. */
  async close(withinMs: number): Promise<void> {
    this.retire();
    await within(Promise.all(this.hosts.map((host) => host.exited())), withinMs);
  }

  /** Ends all hosts at once, whatever they do. */
  killNow(): void {
    this.retire();
    for (const host of this.#hosts) host.kill();
  }

  #takesCalls(host: HostProcess): boolean {
    const { callsPerHost, fullLagMs } = this.#options;
    return host.state === 'ready' && host.calls < callsPerHost && host.figures.lagP99 <= fullLagMs;
  }

  #pick(beyondLimit: boolean): HostProcess | undefined {
    const able = this.hosts.filter((host) =>
      beyondLimit ? host.state === 'ready' : this.#takesCalls(host),
    );
    // One that is to be replaced is the last resort.
    const weight = (host: HostProcess) => host.calls + (host.outgoing ? 1000 : 0);
    return able.toSorted((a, b) => weight(a) - weight(b))[0];
  }

  async #freeHost(withinMs: number, beyondLimit: boolean): Promise<HostProcess | undefined> {
    const { promise, resolve } = Promise.withResolvers<HostProcess | undefined>();
    const entry: Waiting = { resolve, beyondLimit };
    this.#waiting.push(entry);
    this.#fill();
    const timer = setTimeout(() => resolve(undefined), withinMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      const at = this.#waiting.indexOf(entry);
      if (at !== -1) this.#waiting.splice(at, 1);
    }
  }

  #serveWaiting(): void {
    const next = this.#waiting[0];
    const host = next && this.#pick(next.beyondLimit);
    if (!next || !host) return;
    this.#waiting.shift();
    next.resolve(host);
    // Who was served uses its host in a microtask; the next in line may have the rest.
    setImmediate(() => this.#serveWaiting());
  }

  /** Starts as many hosts as are missing. */
  #fill(): void {
    if (this.#closing || this.#restart) return;
    const standing = this.hosts.filter(
      (host) => !host.outgoing && (host.state === 'starting' || host.state === 'ready'),
    );
    const wanted = this.#isolated ? this.#waiting.length + 1 : this.#options.hosts;
    for (let count = standing.length; count < wanted; count += 1) this.#start();
  }

  #start(): void {
    const { main, execArgv, id, log, times } = this.#options;
    const host = new HostProcess({
      id: `${id}.${this.#next}`,
      main,
      execArgv: execArgv ?? [],
      log,
      times: times ?? HOST_TIMES,
      events: {
        ready: () => this.#becameReady(),
        ended: (run) => this.#options.events.ended?.(run),
        over: (run, of) => this.#over(run, of),
        ailing: (of, ailment) => this.#replace(of, ailment),
        noticed: (sign) => this.#options.events.noticed?.(sign),
        gone: (of, runs, loss) => this.#gone(of, runs, loss),
      },
    });
    this.#next += 1;
    this.#hosts.add(host);
  }

  #becameReady(): void {
    this.#restartMs = RESTART_MS.first;
    this.hosts.find(({ outgoing, state }) => outgoing && state === 'ready')?.retire();
    this.#serveWaiting();
    this.#options.events.changed?.();
  }

  #over(run: HostRun, host: HostProcess): void {
    this.#options.events.over(run);
    this.#serveWaiting();
    this.#options.events.changed?.();
    this.#recycleIfDue(host);
  }

  /** Also to be called now and then, since hosts grow and age without calls. */
  recycleIfDue(): void {
    for (const host of this.#hosts) this.#recycleIfDue(host);
  }

  #recycleIfDue(host: HostProcess): void {
    if (host.state !== 'ready' || host.outgoing || this.#isolated) return;
    // One at a time: each takes a second of a core to start.
    if (this.hosts.some(({ outgoing, state }) => outgoing && state === 'ready')) return;
    const reason = reasonToRecycle(this.#options.recycle, {
      rssBytes: host.figures.rssBytes,
      ageMs: Date.now() - host.startedAt,
      served: host.served,
    });
    if (reason) this.#replace(host, reason);
  }

  #replace(host: HostProcess, reason: Ailment | NonNullable<ReturnType<typeof reasonToRecycle>>) {
    if (host.outgoing || host.state !== 'ready') return;
    host.outgoing = true;
    this.#options.log.info({ host: host.id, reason, calls: host.calls }, 'a host is replaced');
    this.#options.events.recycled?.(reason);
    this.#fill();
  }

  #gone(host: HostProcess, runs: HostRun[], loss: LossCause | undefined): void {
    this.#hosts.delete(host);
    if (loss && host.served === 0 && !this.#closing) {
      // It may not start at all: a broken installation must not take the machine.
      this.#restart ??= setTimeout(() => {
        this.#restart = undefined;
        this.#fill();
      }, this.#restartMs);
      this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MS.most);
    }
    this.#fill();
    if (loss) this.#options.events.lost(runs, loss);
    this.#options.events.changed?.();
  }
}
