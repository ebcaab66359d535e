import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
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
  }): Promise<DispatcherFixture> {
    const port = await freePort();
    const child = spawn(process.execPath, [PROGRAM], {
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
      const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
      return answer?.ok ? true : undefined;
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
