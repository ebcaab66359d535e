import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

/** A Redis of a test's own, which it may kill, freeze and start again with what it held. */
export class RedisServer {
  readonly port: number;
  readonly url: string;
  readonly #folder: string;
  readonly #flags: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, flags: readonly string[]) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#folder = folder;
    this.#flags = flags;
  }

  /** @param flags such as `['--replicaof', '127.0.0.1 7000']` */
  static async start(flags: readonly string[] = []): Promise<RedisServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-redis-'));
    const server = new RedisServer(await freePort(), folder, flags);
    await server.restart();
    return server;
  }

  async restart(): Promise<void> {
    this.#process = spawn(
      'redis-server',
      [
        `--port ${this.port} --bind 127.0.0.1 --appendonly yes --dir`.split(' '),
        this.#folder,
        ['--save', ''],
        this.#flags,
      ].flat(),
      { stdio: 'ignore' },
    );
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => 20 });
    client.on('error', () => undefined);
    try {
      while ((await client.ping().catch(() => '')) !== 'PONG') await delay(20);
    } finally {
      client.disconnect();
    }
  }

  /** The process, for a test that waits for its end or measures it. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Connections are accepted, and no command is answered. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
