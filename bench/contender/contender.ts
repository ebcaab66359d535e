import { setTimeout as delay } from 'node:timers/promises';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { readStackState } from '../../src/stack/state-file.ts';
import { StackFixture } from '../../test/stack-fixture.ts';
import { pidsOfTrees } from '../process-tree.ts';
import { PlainWorker } from './plain-worker.ts';
import type { System } from './systems.ts';

/** More calls than any measurement holds at once. */
const CAPACITY = 60;
const RESTART_MS = 120_000;

/**
 * One system on a stack of its own: the same livekit-server, livekit-sip, Redis and simulator, the same trunk
 * and dispatch rule, and the agents of the system.
 */
export class Contender {
  readonly system: System;
  readonly stack: StackFixture;
  readonly #plain: PlainWorker[] = [];
  readonly #environment: Record<string, string>;

  private constructor(system: System, stack: StackFixture, environment: Record<string, string>) {
    this.system = system;
    this.stack = stack;
    this.#environment = environment;
  }

  /** @param options.workers how many machines there would be: processes that register with livekit-server */
  static async start(
    system: System,
    options: { workers: number; environment?: Record<string, string> },
  ): Promise<Contender> {
    const environment = options.environment ?? {};
    const stack = await StackFixture.start({
      ...environment,
      NUM_AGENTS: system === 'trunkline' ? String(options.workers) : '0',
      WORKER_MAX_CALLS: String(CAPACITY),
    });
    const contender = new Contender(system, stack, environment);
    try {
      for (let index = 0; index < options.workers; index += 1) await contender.#addPlain();
    } catch (thrown) {
      await contender.stop();
      throw thrown;
    }
    return contender;
  }

  /** The processes that registered with livekit-server, one of each worker; those that live. */
  roots(): number[] {
    if (this.system !== 'trunkline') {
      return this.#plain.filter(({ ended }) => !ended).map(({ pid }) => pid);
    }
    const state = readStackState(path.join(this.stack.info.dataDir, 'stack.json'));
    return (state?.processes ?? [])
      .filter(({ name, state: how }) => /^worker(?:-\d+)?$/.test(name) && how === 'running')
      .flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Takes a worker out of service as a rolling deploy does, and waits until its successor runs. */
  async replace(root: number): Promise<void> {
    const plain = this.#plain.find(({ pid }) => pid === root);
    if (plain) {
      // As an orchestrator that waits: the successor comes first.
      await this.#addPlain();
      await plain.drain(RESTART_MS);
      return;
    }
    const workers = this.roots().length;
    process.kill(root, 'SIGTERM');
    await this.#until(() => !this.roots().includes(root) && this.roots().length === workers);
  }

  /** A worker's machine is gone: every process of it at once. */
  lose(root: number): void {
    for (const pid of pidsOfTrees([root])) kill(pid);
  }

  async stop(): Promise<void> {
    const lost = this.#plain.map(async (worker) => worker.stop());
    await Promise.all(lost);
    const kept = process.env.BENCH_LOGS;
    if (kept !== undefined) {
      const folder = path.join(kept, path.basename(this.stack.info.dataDir));
      cpSync(path.join(this.stack.info.dataDir, 'logs'), folder, { recursive: true });
    }
    await this.stack.stop();
  }

  async #addPlain(): Promise<void> {
    if (this.system === 'trunkline') return;
    this.#plain.push(
      await PlainWorker.start(this.system, {
        environment: { ...this.stack.environment, ...this.#environment },
        logs: path.join(this.stack.info.dataDir, 'logs'),
      }),
    );
  }

  async #until(condition: () => boolean): Promise<void> {
    const limit = performance.now() + RESTART_MS;
    while (!condition()) {
      if (performance.now() > limit) throw new Error('a worker did not come back');
      await delay(200);
    }
  }
}

/** Ends a process at once; one that has ended already is as good. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
