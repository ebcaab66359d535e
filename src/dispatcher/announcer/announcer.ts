import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Announcement, FromAnnouncer, ToAnnouncer } from './announcer-message.ts';

/** Longer than joining, the sentence and leaving take on a machine that is very busy. */
const ANNOUNCEMENT_MS = 30_000;
/** A process that has had nothing to say for so long ends: it has 60 MB. */
const IDLE_MS = 60_000;
const EXIT_MS = 2000;

type Pending = { resolve: () => void; reject: (error: Error) => void };

/** Says recorded sentences in rooms, in a process that is started when the first one is to be said. */
export class Announcer {
  readonly #program: string;
  readonly #pending = new Map<number, Pending>();
  #process: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #ids = 0;

  constructor(program: string = path.join(import.meta.dirname, 'main.ts')) {
    this.#program = program;
  }

  /**
   * Resolves when the sentence has been said.
   * @throws where it was not, or it is not known.
   */
  async announce(announcement: Announcement): Promise<void> {
    clearTimeout(this.#idle);
    const id = (this.#ids += 1);
    const done = Promise.withResolvers<void>();
    this.#pending.set(id, done);
    const limit = setTimeout(
      () => done.reject(new Error('the announcer gave no answer')),
      ANNOUNCEMENT_MS,
    );
    try {
      const child = (this.#process ??= this.#start());
      child.send({ case: 'announce', id, value: announcement } satisfies ToAnnouncer);
      await done.promise;
    } finally {
      clearTimeout(limit);
      this.#pending.delete(id);
      if (this.#pending.size === 0) this.#restWhenIdle();
    }
  }

  /** Ends the process, and with it what it is saying. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const child = this.#process;
    if (!child) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (child.connected) child.disconnect();
    const force = setTimeout(() => child.kill('SIGKILL'), EXIT_MS);
    await exited;
    clearTimeout(force);
  }

  #start(): ChildProcess {
    const child = fork(this.#program, { stdio: 'ignore' });
    child.on('message', (message: FromAnnouncer) => this.#onMessage(message));
    // Also of one that could not be started, or whose channel broke while something was sent.
    child.on('error', (error) => this.#lost(child, error));
    child.on('exit', () => this.#lost(child, new Error('the announcer ended')));
    return child;
  }

  #onMessage(message: FromAnnouncer): void {
    const pending = this.#pending.get(message.id);
    if (message.case === 'announced') pending?.resolve();
    else pending?.reject(new Error(`the announcer failed: ${message.reason}`));
  }

  #lost(child: ChildProcess, error: Error): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    for (const pending of this.#pending.values()) pending.reject(error);
  }

  #restWhenIdle(): void {
    this.#idle = setTimeout(() => {
      void this.close();
    }, IDLE_MS);
    this.#idle.unref();
  }
}
