import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from './free-port.ts';

const DEBIAN = '/usr/lib/postgresql';

type User = { uid?: number; gid?: number };

/** A Postgres cluster of a test's own, on a free port; it may be killed and started again. */
export class PostgresServer {
  readonly port: number;
  readonly url: string;
  readonly #folder: string;
  readonly #user: User;
  readonly #durable: boolean;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, user: User, durable: boolean) {
    this.port = port;
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    this.#folder = folder;
    this.#user = user;
    this.#durable = durable;
  }

  /** @param options.durable whether a commit waits for the disk, as it does in earnest; tests need not */
  static async start(options: { durable?: boolean } = {}): Promise<PostgresServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-postgres-'));
    const user = unprivilegedUser();
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
    const server = new PostgresServer(await freePort(), folder, user, options.durable ?? false);
    await promisify(execFile)(
      program('initdb'),
      ['--pgdata', folder, '--username', 'postgres', '--auth', 'trust', '--no-sync', '-E', 'UTF8'],
      { ...user, cwd: folder },
    );
    await server.restart();
    return server;
  }

  /** A server that follows this one, and may be promoted in its place. */
  async standby(): Promise<PostgresServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-postgres-'));
    const user = this.#user;
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
    const server = new PostgresServer(await freePort(), folder, user, this.#durable);
    await promisify(execFile)(
      program('pg_basebackup'),
      [
        `--dbname=${this.url}`,
        `--pgdata=${folder}`,
        '--write-recovery-conf',
        '--checkpoint=fast',
        '--no-sync',
      ],
      { ...user, cwd: folder },
    );
    await server.restart();
    return server;
  }

  /** Makes commits wait until a standby has them, as where none may be lost with this server. */
  async waitForStandby(): Promise<void> {
    await this.#run("alter system set synchronous_standby_names = '*'", 'select pg_reload_conf()');
  }

  /** Makes a standby take writes. */
  async promote(): Promise<void> {
    await this.#run('select pg_promote()');
  }

  /** Connections are accepted, and nothing is answered, by none of its processes. */
  freeze(): void {
    this.#signalAll('SIGSTOP');
  }

  thaw(): void {
    this.#signalAll('SIGCONT');
  }

  async restart(): Promise<void> {
    this.#process = spawn(
      program('postgres'),
      [
        [`-D${this.#folder}`, `-p${this.port}`, '-h127.0.0.1', `-k${this.#folder}`],
        this.#durable ? [] : ['-cfsync=off'],
      ].flat(),
      { ...this.#user, cwd: this.#folder, stdio: 'ignore' },
    );
    for (;;) {
      if (this.#process.exitCode !== null)
        throw new Error('the Postgres of the test did not start');
      const client = new Client({ connectionString: this.url, connectionTimeoutMillis: 1000 });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return;
      } catch {
        await delay(50);
      } finally {
        // After a failed connection this may never settle.
        client.end().catch(() => undefined);
      }
    }
  }

  /** A new, empty database of this server. */
  async createDatabase(name: string): Promise<string> {
    await this.#run(`create database "${name}"`);
    return this.url.replace(/\/postgres$/, `/${name}`);
  }

  async #run(...statements: string[]): Promise<void> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  }

  /** Postgres has a process for each session. */
  #signalAll(signal: NodeJS.Signals): void {
    const pid = this.#process?.pid;
    if (pid === undefined) return;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    for (const each of [pid, ...children.trim().split(/\s+/).map(Number)])
      process.kill(each, signal);
  }

  /** Ends at once; sessions are broken off. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGQUIT');
    await once(child, 'exit');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Postgres refuses to run as root: there, the user that Debian's package made is taken. */
function unprivilegedUser(): User {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function program(name: string): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const newest = versions.map(Number).toSorted((a, b) => b - a);
  const folders = newest.map((version) => path.join(DEBIAN, String(version), 'bin'));
  const found = [...folders, ...(process.env.PATH ?? '').split(':')]
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));
  if (found) return found;
  throw new Error(
    `These tests need Postgres, and ${name} is nowhere: apt-get install postgresql (it need not run).`,
  );
}
