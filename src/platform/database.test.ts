import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { sql } from 'drizzle-orm';
import pino from 'pino';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isAway } from './database-failure.ts';
import { openDatabase, type OpenDatabase } from './database.ts';
import { OperatorError } from './errors.ts';
import { holdFolder } from './folder-lock.ts';
import { Releases } from './releases.ts';
import { freePort } from './testing/free-port.ts';
import { PostgresServer } from './testing/postgres-server.ts';

const log = pino({ level: 'silent' });
const migrations = path.join(import.meta.dirname, '../call/ledger/migrations');

describe('opening the database', () => {
  let releases: Releases;
  let folder: string;

  beforeEach(() => {
    releases = new Releases();
    folder = mkdtempSync(path.join(tmpdir(), 'trunkline-database-'));
    releases.add('folder', () => rmSync(folder, { recursive: true }));
  });
  afterEach(async () => releases.run());

  const open = async (url?: string): Promise<OpenDatabase> => {
    const database = await openDatabase({ url, folder, migrations, log });
    releases.add('database', async () => database.close());
    return database;
  };

  it('gives the embedded one to one process at a time, and keeps what it held', async () => {
    const first = await open();
    await first.db.execute(sql`create table kept (value text)`);
    await expect(open()).rejects.toThrow(OperatorError);
    await expect(open()).rejects.toMatchObject({ remedy: expect.stringContaining('DATABASE_URL') });
    await first.close();
    const second = await open();
    await second.db.execute(sql`select value from kept`);
    await second.ping();
  });

  it('has the folder again as soon as the process that held it was killed', async () => {
    const script =
      'const { holdFolder } = await import(process.argv[1]);' +
      "holdFolder(process.argv[2], 'wait'); console.log('held'); setInterval(() => {}, 1e6);";
    const module = path.join(import.meta.dirname, 'folder-lock.ts');
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, module, folder]);
    await once(child.stdout, 'data');
    expect(() => holdFolder(folder, 'wait')).toThrow('Another process uses');
    child.kill('SIGKILL');
    await once(child, 'exit');
    holdFolder(folder, 'wait')();
  });

  it('lets several processes migrate one Postgres at the same time', async () => {
    const server = await PostgresServer.start();
    releases.add('postgres', async () => server.remove());
    const databases = await Promise.all([1, 2, 3].map(async () => open(server.url)));
    for (const database of databases) await database.ping();
    const applied = await databases[0]!.db.execute(
      sql`select count(*)::int as count from drizzle.__drizzle_migrations`,
    );
    expect(applied).toMatchObject({ rows: [{ count: expect.any(Number) }] });
    for (const database of databases) await database.close();
  });

  it('loses no connection to transactions that a breaking server does not begin', async () => {
    const server = await PostgresServer.start();
    releases.add('postgres', async () => server.remove());
    const database = await open(server.url);
    const transact = async () => database.db.transaction(async (tx) => tx.execute(sql`select 1`));
    const ten = async () => Promise.allSettled(Array.from({ length: 10 }, transact));
    for (let round = 0; round < 3; round += 1) {
      await ten();
      // The connections were good until now: what is sent over them meets a server that goes.
      const stopped = server.stop();
      let statuses: string[];
      do statuses = (await ten()).map(({ status }) => status);
      while (!statuses.includes('rejected'));
      await stopped;
      await server.restart();
    }
    await transact();
    // The pool ends when every connection has come back.
    await database.close();
  });

  it('follows the one of several servers that takes writes, also away from one that stands still', async () => {
    const first = await PostgresServer.start();
    releases.add('first', async () => first.remove());
    const second = await first.standby();
    releases.add('second', async () => second.remove());
    const hosts = [second, first].map(({ port }) => `127.0.0.1:${port}`).join(',');
    const database = await open(`postgres://postgres@${hosts}/postgres`);
    await database.db.execute(sql`create table kept (value text)`);
    const write = async (value: string) =>
      database.db.execute(sql`insert into kept values (${value})`);
    await write('before');

    first.freeze();
    const stuck = write('never answered').catch((thrown: unknown) => thrown);
    await second.promote();
    expect(isAway(await stuck)).toBe(true);
    await vi.waitFor(async () => write('after'), { timeout: 30_000, interval: 100 });
    // The first one still believes that it is the primary.
    first.thaw();
    for (let round = 0; round < 20; round += 1) await write('with two');
    const client = new Client({ connectionString: second.url });
    await client.connect();
    const { rows } = await client.query(
      "select count(*)::int as count from kept where value in ('before', 'after', 'with two')",
    );
    await client.end();
    expect(rows).toEqual([{ count: 22 }]);
  });

  it('says what to do where Postgres does not answer or has no such database', async () => {
    const nobody = `postgres://trunkline:secret@127.0.0.1:${await freePort()}/trunkline`;
    const refused = await open(nobody).catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(OperatorError);
    expect(String(refused)).not.toContain('secret');
    const server = await PostgresServer.start();
    releases.add('postgres', async () => server.remove());
    const missing = server.url.replace(/\w+$/, 'nothing');
    await expect(open(missing)).rejects.toMatchObject({
      remedy: expect.stringContaining('DATABASE_URL'),
    });
  });
});
