import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { WebCall, WebNews, WebOrder } from './web-orders.ts';

/** A process of WebRTC callers. Whoever starts it ends it. */
export class WebProcess {
  readonly #child: ChildProcess;
  readonly #joined = Promise.withResolvers<void>();
  readonly #report = Promise.withResolvers<WebCall[]>();

  private constructor(child: ChildProcess, onDone: (call: WebCall) => void) {
    this.#child = child;
    // Either may fail before anybody waits for it.
    this.#joined.promise.catch(() => undefined);
    this.#report.promise.catch(() => undefined);
    child.on('message', (news: WebNews) => {
      switch (news.case) {
        case 'joined':
          this.#joined.resolve();
          break;
        case 'done':
          onDone(news.value);
          break;
        case 'report':
          this.#report.resolve(news.value);
          break;
        case 'failed':
          this.#fail(new Error(`the callers failed: ${news.value}`));
          break;
      }
    });
    child.once('exit', () => this.#fail(new Error('the process of the callers ended')));
  }

  static start(order: WebOrder, onDone: (call: WebCall) => void = () => undefined): WebProcess {
    const child = fork(path.join(import.meta.dirname, 'web-callers.ts'), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const callers = new WebProcess(child, onDone);
    child.send(order);
    return callers;
  }

  /** Resolves when all callers of a crowd are in their rooms. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** Resolves when all calls are over. */
  get report(): Promise<WebCall[]> {
    return this.#report.promise;
  }

  /** The callers finish their sentence and leave. */
  stop(): void {
    if (this.#child.connected) this.#child.send({ case: 'stop', value: undefined });
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #fail(error: Error): void {
    this.#joined.reject(error);
    this.#report.reject(error);
  }
}
