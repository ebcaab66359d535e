import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../src/platform/testing/free-port.ts';
import { eventually } from './eventually.ts';

const PROGRAM = path.resolve(
  import.meta.dirname,
  '../src/dispatcher/fixtures/dispatcher-process.ts',
);

/** A whole dispatcher on a trunk of 50 calls a second, which a test may kill. */
export class DispatcherFixture {
  readonly process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.process = child;
  }

  /** Resolves when it is healthy. */
  static async start(addresses: {
    redisUrl: string;
    livekitUrl: string;
    /** For the process, beside what it needs. */
    environment?: Record<string, string>;
    /** What stands before its command, where it is to run elsewhere. */
    prefix?: readonly string[];
  }): Promise<DispatcherFixture> {
    const port = await freePort();
    const prefix = addresses.prefix ?? [];
    const [command, ...args] = [...prefix, process.execPath, PROGRAM];
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH,
        LIVEKIT_URL: addresses.livekitUrl,
        LIVEKIT_API_KEY: 'key',
        LIVEKIT_API_SECRET: 'a secret that is long enough for livekit',
        API_KEY: 'a key that is long enough',
        REDIS_URL: addresses.redisUrl,
        DISPATCHER_PORT: String(port),
        ...addresses.environment,
        TEST_TRUNK: JSON.stringify({
          name: 'simulator',
          provider: 'simulator',
          callsPerSecond: 50,
          concurrentCalls: 50,
          allowedPrefixes: ['+1'],
        }),
      },
    });
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error('the dispatcher did not start');
      return (await answers(port, prefix)) ? true : undefined;
    });
    return new DispatcherFixture(child);
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}

/** Asked from where it runs: its health listens there only. */
async function answers(port: number, prefix: readonly string[]): Promise<boolean> {
  const ask = `fetch('http://127.0.0.1:${port}/health').then((answer) => process.exit(answer.ok ? 0 : 1))`;
  const [command, ...args] = [...prefix, process.execPath, '-e', ask];
  return promisify(execFile)(command, args).then(
    () => true,
    () => false,
  );
}
