import { Gauge } from 'prom-client';
import type { CallEvent } from '../call/call-event.ts';
import { publishTrunkEvent } from '../call/trunk-entries.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Registry } from '../platform/metrics.ts';
import type { Redis } from '../platform/redis.ts';
import type { EnsureReport } from '../trunk/ensure.ts';
import type { Finding } from '../trunk/plan.ts';
import type { Pulse } from '../trunk/sip-options.ts';
import { splitAddress, type Trunk } from '../trunk/trunk.ts';
import { trunkEvent } from '../trunk/trunk-event.ts';
import {
  keepTrunkStates,
  readTrunkStates,
  writeTrunkState,
  type TrunkState,
} from '../trunk/trunk-state.ts';
import { observe, type Observation, type Watch } from './hysteresis.ts';
import { OutcomeWindow } from './outcome-window.ts';

export type MonitorDeps = {
  redis: Redis;
  log: Log;
  metrics: Registry;
  /** Read afresh each time, since the operator changes the file. */
  loadTrunks: () => Trunk[];
  ping: (trunk: Trunk, host: string, port: number) => Promise<Pulse>;
  plan: (trunks: readonly Trunk[]) => Promise<EnsureReport>;
  ensure: (trunks: readonly Trunk[]) => Promise<EnsureReport>;
  now: () => number;
};

/** Keeps the trunks made, and their state known. */
export class TrunkMonitor {
  readonly #deps: MonitorDeps;
  readonly #outcomes = new OutcomeWindow();
  readonly #watches = new Map<string, Watch>();
  readonly #up: Gauge<'trunk'>;
  readonly #drift: Gauge;
  #trunks: readonly Trunk[] = [];
  #findings: readonly Finding[] = [];
  #addresses: Readonly<Record<string, string>> = {};

  constructor(deps: MonitorDeps) {
    this.#deps = deps;
    const registers = [deps.metrics];
    this.#up = new Gauge({
      name: 'trunkline_trunk_up',
      help: '1 where calls can be made over the trunk, 0.5 where they often fail, 0 where it is silent',
      labelNames: ['trunk'],
      registers,
    });
    this.#drift = new Gauge({
      name: 'trunkline_trunk_differences',
      help: 'objects in livekit-server and at carriers that are not what the configuration says',
      registers,
    });
  }

  onEvent(event: CallEvent): void {
    this.#outcomes.add(event);
  }

  /** Makes what is missing. What differs otherwise is only told: the operator may be changing it. */
  async checkPlan(): Promise<void> {
    const { log } = this.#deps;
    this.#reload();
    const planned = await this.#deps.plan(this.#trunks);
    const missing = planned.lines.filter(({ action }) => action === 'create');
    const report = missing.length > 0 ? await this.#deps.ensure(this.#trunks) : planned;
    if (missing.length > 0) {
      log.warn(
        { objects: missing.map(({ object, trunk, where }) => ({ object, trunk, where })) },
        'made what was missing of the trunks',
      );
    }
    const differing =
      missing.length > 0 ? [] : planned.lines.filter(({ action }) => action !== 'keep');
    if (differing.length > 0) {
      log.warn({ objects: differing }, 'the trunks differ from the configuration: run ensure');
    }
    this.#drift.set(differing.length);
    for (const { message, severity } of report.findings) {
      if (severity === 'problem') log.warn({ problem: message }, 'a trunk has a problem');
    }
    this.#findings = report.findings;
    this.#addresses = report.addresses;
  }

  /** Looks at every trunk once, and writes its state where that changed. */
  async look(): Promise<void> {
    const { redis } = this.#deps;
    this.#reload();
    const names = new Set(this.#trunks.map(({ name }) => name));
    await Promise.all(this.#trunks.map((trunk) => this.#lookAt(trunk)));
    for (const name of this.#watches.keys()) {
      if (names.has(name)) continue;
      this.#watches.delete(name);
      this.#up.remove({ trunk: name });
    }
    await keepTrunkStates(redis, names);
  }

  /** For the health endpoint. */
  states(): Record<string, string> {
    const known = [...this.#watches].flatMap(([name, { current }]) =>
      current ? [[name, current.state] as const] : [],
    );
    return Object.fromEntries(known);
  }

  #reload(): void {
    try {
      this.#trunks = this.#deps.loadTrunks();
    } catch (thrown) {
      if (this.#trunks.length === 0) throw thrown;
      this.#deps.log.error(
        { err: asError(thrown) },
        'trunks.yaml is broken; its last good version stays',
      );
    }
  }

  async #lookAt(trunk: Trunk): Promise<void> {
    const { log, now, redis } = this.#deps;
    const seen = await this.#observationOf(trunk);
    const before = this.#watches.get(trunk.name) ?? {
      current: undefined,
      pending: undefined,
      count: 0,
    };
    const after = observe(before, seen, now());
    this.#watches.set(trunk.name, after);
    if (!after.current) return;
    await this.#tell(trunk.name, before.current?.state, after.current);
    await writeTrunkState(redis, trunk.name, after.current);
    this.#up.set(
      { trunk: trunk.name },
      { up: 1, degraded: 0.5, down: 0, unknown: 0 }[after.current.state],
    );
    if (before.current?.state !== after.current.state) {
      const { reason, state } = after.current;
      log[state === 'up' ? 'info' : 'warn']({ trunk: trunk.name, state, reason }, 'trunk state');
    }
  }

  /** Publishes a change; after a start, against what was known before. A trunk that is up at its first look is no news. */
  async #tell(
    trunk: string,
    seenBefore: TrunkState['state'] | undefined,
    { state, reason }: TrunkState,
  ): Promise<void> {
    if (state === 'unknown' || state === seenBefore) return;
    const { redis } = this.#deps;
    const before = seenBefore ?? (await readTrunkStates(redis)).get(trunk)?.state;
    if (state === before || (state === 'up' && before === undefined)) return;
    await publishTrunkEvent(redis, trunkEvent(state, { trunk, before, reason }));
  }

  async #observationOf(trunk: Trunk): Promise<Observation> {
    const { host, port } = splitAddress(
      this.#addresses[trunk.name] ?? trunk.address,
      trunk.transport,
    );
    const pulse = await this.#deps.ping(trunk, host, port);
    if (!pulse.answered)
      return { state: 'down', reason: `${host} does not answer: ${pulse.reason}` };
    const problem = this.#findings.find(
      (finding) => finding.severity === 'problem' && finding.trunk === trunk.name,
    );
    if (problem) return { state: 'degraded', reason: problem.message };
    const complaint = this.#outcomes.complaint(trunk.name, this.#deps.now());
    if (complaint !== undefined) return { state: 'degraded', reason: complaint };
    return { state: 'up', reason: 'answers' };
  }
}
