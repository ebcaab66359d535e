import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import { RedisServer } from './redis-server.ts';

const MASTER = 'calls';
/** How long a master must be silent before it is taken for dead; long enough for a busy machine. */
const DOWN_AFTER_MS = 2000;

/** One master, two replicas and three Sentinels of a test's own, as an operator would spread over three machines. */
export class RedisGroup {
  readonly #servers: RedisServer[];
  readonly #sentinels: { port: number; process: ChildProcess; folder: string }[];

  private constructor(
    servers: RedisServer[],
    sentinels: { port: number; process: ChildProcess; folder: string }[],
  ) {
    this.#servers = servers;
    this.#sentinels = sentinels;
  }

  /** Resolves when the Sentinels know each other and the replicas have what the master has. */
  static async start(): Promise<RedisGroup> {
    const master = await RedisServer.start(FAST);
    const replicas = await Promise.all(
      [1, 2].map(async () =>
        RedisServer.start([...FAST, '--replicaof', `127.0.0.1 ${master.port}`]),
      ),
    );
    const sentinels = await Promise.all([1, 2, 3].map(async () => startSentinel(master.port)));
    const group = new RedisGroup([master, ...replicas], sentinels);
    await group.#settled();
    return group;
  }

  /** As `REDIS_URL` has it. */
  get url(): string {
    const hosts = this.#sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return `redis+sentinel://${hosts}/${MASTER}`;
  }

  /** The server that the Sentinels call the master now. */
  async master(): Promise<RedisServer> {
    for (const { port } of this.#sentinels) {
      const address = await ask(port, async (client) =>
        client.call('SENTINEL', 'get-master-addr-by-name', MASTER),
      ).catch(() => undefined);
      const found = this.#servers.find((each) => String(each.port) === (address as string[])?.[1]);
      if (found) return found;
    }
    throw new Error('no Sentinel answers');
  }

  async replicas(): Promise<RedisServer[]> {
    const master = await this.master();
    return this.#servers.filter((each) => each !== master);
  }

  /** Waits until the Sentinels have agreed on a master other than `old`. */
  async failedOver(old: RedisServer): Promise<RedisServer> {
    for (;;) {
      const now = await this.master();
      if (now !== old) return now;
      await delay(50);
    }
  }

  async killSentinel(index: number): Promise<void> {
    await end(this.#sentinels[index]?.process);
  }

  async remove(): Promise<void> {
    for (const { process: child, folder } of this.#sentinels) {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    }
    for (const server of this.#servers) await server.remove();
  }

  async #settled(): Promise<void> {
    for (const { port } of this.#sentinels) {
      await ask(port, async (client) => {
        for (;;) {
          const [facts] = (await client.call('SENTINEL', 'masters')) as string[][];
          const fact = (name: string) => Number(facts?.[facts.indexOf(name) + 1]);
          if (fact('num-other-sentinels') === 2 && fact('num-slaves') === 2) return;
          await delay(100);
        }
      });
    }
  }
}

/** A test does not wait 5 s for other clients before a full copy is sent. */
const FAST = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];

async function startSentinel(
  master: number,
): Promise<{ port: number; process: ChildProcess; folder: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-sentinel-'));
  const port = await freePort();
  // Sentinel writes its state into its configuration.
  const file = path.join(folder, 'sentinel.conf');
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${MASTER} 127.0.0.1 ${master} 2`,
      `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${MASTER} 10000`,
      `sentinel parallel-syncs ${MASTER} 2`,
      '',
    ].join('\n'),
  );
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  return { port, process: child, folder };
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function ask<T>(port: number, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(port, '127.0.0.1', {
    enableReadyCheck: false,
    retryStrategy: (attempt) => (attempt > 100 ? null : 50),
    maxRetriesPerRequest: 100,
  });
  client.on('error', () => undefined);
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}
