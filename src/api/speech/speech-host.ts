import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Log } from '../../platform/log.ts';
import {
  TurnError,
  type FromSpeech,
  type ToSpeech,
  type TurnRequest,
  type TurnResult,
} from './speech-message.ts';

const PROGRAM = path.join(import.meta.dirname, 'child.ts');
/** The process is kept this long for the next turn. */
const IDLE_MS = 300_000;
/** A turn that takes longer is given up, and its process with it: decoding may hang. */
const TURN_LIMIT_MS = 120_000;
const MOST_TURNS = 4;

export type SpeechOptions = {
  /** Folder and environment of the configuration. */
  cwd: string;
  environment: Record<string, string | undefined>;
  log: Log;
  idleMs?: number;
};

type Waiting = { resolve: (result: TurnResult) => void; reject: (error: Error) => void };
type Child = { process: ChildProcess; waiting: Map<number, Waiting> };

/** Thrown where as many turns are under way as may be. */
export class SpeechBusy extends Error {}

/** Runs turns without a call in a process of their own, which starts with the first and ends when idle. */
export class SpeechHost {
  readonly #options: SpeechOptions;
  #child: Child | undefined;
  #next = 0;
  #running = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: SpeechOptions) {
    this.#options = options;
  }

  /** Of its process, while there is one. */
  get pid(): number | undefined {
    return this.#child?.process.pid;
  }

  /**
   * Begins a turn: give it the sound as it arrives, then ask for the answer; dispose of it in any case.
   *
   * @throws SpeechBusy
   */
  begin(): Turn {
    if (this.#running >= MOST_TURNS) throw new SpeechBusy('as many turns run as may');
    this.#running += 1;
    clearTimeout(this.#idle);
    const child = (this.#child ??= this.#start());
    const id = (this.#next += 1);
    const limit = setTimeout(() => {
      this.#options.log.warn('a turn took too long; its process is ended');
      child.process.kill('SIGKILL');
    }, TURN_LIMIT_MS);
    const done = Promise.withResolvers<TurnResult>();
    done.promise.catch(() => undefined);
    child.waiting.set(id, done);
    return {
      failed: done.promise,
      push: async (chunk) => tell(child, { case: 'sound', id, chunk }),
      answer: async (request) => {
        await tell(child, { case: 'answer', id, request });
        return done.promise;
      },
      end: () => {
        clearTimeout(limit);
        child.waiting.delete(id);
        void tell(child, { case: 'cancel', id });
        this.#running -= 1;
        if (this.#running === 0) this.#rest();
      },
    };
  }

  /** Ends the process; turns that it has fail. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const child = this.#child?.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  #rest(): void {
    this.#idle = setTimeout(() => void this.close(), this.#options.idleMs ?? IDLE_MS);
    this.#idle.unref();
  }

  #start(): Child {
    const { cwd, environment, log } = this.#options;
    const child: Child = {
      process: fork(PROGRAM, {
        cwd,
        env: environment,
        serialization: 'advanced',
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
      waiting: new Map(),
    };
    const lost = (cause?: Error) => {
      if (this.#child === child) this.#child = undefined;
      for (const { reject } of child.waiting.values()) {
        reject(new TurnError('lost', 'The process that speaks ended; send it again.', cause));
      }
      child.waiting.clear();
    };
    child.process.on('exit', (code, signal) => {
      log.info({ code, signal }, 'the process that speaks ended');
      lost();
    });
    child.process.on('error', lost);
    child.process.on('message', (message: FromSpeech) => {
      if (message.case === 'ready') return;
      const waiting = child.waiting.get(message.id);
      if (message.case === 'result') waiting?.resolve(message.result);
      else waiting?.reject(new TurnError(message.failure.kind, message.failure.detail));
    });
    return child;
  }
}

/** A turn under way. */
export type Turn = {
  /** Rejects as soon as it is clear that there will be no answer; resolves with it otherwise. */
  failed: Promise<TurnResult>;
  /** Resolves when the process has taken the sound. */
  push(chunk: Uint8Array): Promise<void>;
  /** @throws TurnError */
  answer(request: TurnRequest): Promise<TurnResult>;
  end(): void;
};

/** A process that is gone has rejected the turn already. */
async function tell({ process: child }: Child, message: ToSpeech): Promise<void> {
  if (!child.connected) return;
  await new Promise<void>((resolve) => child.send(message, () => resolve()));
}
