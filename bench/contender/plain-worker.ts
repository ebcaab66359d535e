import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import path from 'node:path';
import { takeFreePorts } from '../../src/stack/free-ports.ts';
import { GREETING } from './greeting.ts';
import { pythonProgram, type System } from './systems.ts';

/** A drain that takes longer than this is ended by force. */
const STOP_MS = 15_000;

const bench = path.resolve(import.meta.dirname, '..');

/** A worker as the framework itself comes, stock or Python, on a stack that has none. */
export class PlainWorker {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(
    system: Exclude<System, 'trunkline'>,
    options: { environment: Record<string, string | undefined>; logs: string },
  ): Promise<PlainWorker> {
    const [program, script] =
      system === 'stock'
        ? [process.execPath, 'stock/main.ts']
        : [pythonProgram(), 'python/agent.py'];
    const log = openSync(path.join(options.logs, `${system}.log`), 'a', 0o600);
    const child = spawn(program, [path.join(bench, script), 'start'], {
      env: {
        ...options.environment,
        AGENT_NAME: 'trunkline',
        BENCH_GREETING: options.environment['BENCH_GREETING'] ?? GREETING,
        BENCH_PORT: String(await takeFreePorts(1, new Set())),
      },
      stdio: ['ignore', log, log],
      // A group of its own: what it has started ends with it, whatever it does.
      detached: true,
    });
    await once(child, 'spawn');
    return new PlainWorker(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Asks it to finish its calls and end; resolves when it has ended, at most after `withinMs`. */
  async drain(withinMs: number): Promise<void> {
    if (this.ended) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), withinMs);
    await Promise.race([exited, once(limit.signal, 'abort')]);
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    await this.drain(STOP_MS);
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
  }
}
