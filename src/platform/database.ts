import path from 'node:path';
import { mkdirSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle as drizzleNodePostgres } from 'drizzle-orm/node-postgres';
import { migrate as migrateNodePostgres } from 'drizzle-orm/node-postgres/migrator';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { migrate as migratePglite } from 'drizzle-orm/pglite/migrator';
import { Pool } from 'pg';
import { holdFolder } from './folder-lock.ts';
import { asError, OperatorError } from './errors.ts';
import type { Log } from './log.ts';
import { postgresUrls } from './postgres-hosts.ts';
import { PostgresPrimary } from './postgres-primary.ts';

/** A Postgres database, or a transaction in one; which driver is behind it makes no difference. */
export type Database = PgDatabase<PgQueryResultHKT>;

export type OpenDatabase = {
  db: Database;
  kind: 'postgres' | 'embedded';
  /** Rejects where the database does not answer. */
  ping(): Promise<void>;
  /** How many connections other processes of ours have to it. */
  others(): Promise<number>;
  /** Applies the migrations of a folder that have not been. */
  migrate(migrations: string): Promise<void>;
  close(): Promise<void>;
};

const APPLICATION = 'trunkline';
const POOL_SIZE = 10;
const CONNECT_LIMIT_MS = 5000;
/** An api that was frozen within a transaction holds its rows, and with them the other apis, so long at most. */
const FROZEN_LIMIT_MS = 60_000;
/** Any number does, as long as every api of one database uses the same. */
const MIGRATION_LOCK = 7_263_041;

/**
 * Opens the database and brings it to the newest migration: a Postgres server by its URL, or the one of several
 * that takes writes, else Postgres inside this process (PGlite), with its files in `folder`. One process at a time can have such a folder.
 *
 * @param options.migrations absent: the tables stay as they are
 * @throws OperatorError where the server does not answer, or another process has the folder.
 */
export async function openDatabase(options: {
  url: string | undefined;
  folder: string;
  migrations?: string;
  log: Log;
}): Promise<OpenDatabase> {
  return options.url === undefined
    ? openEmbedded(options.folder, options.migrations)
    : openPostgres(options.url, options.migrations, options.log);
}

async function openEmbedded(folder: string, migrations: string | undefined): Promise<OpenDatabase> {
  mkdirSync(folder, { recursive: true });
  const release = holdFolder(
    folder,
    'Stop the other api, or give every api one Postgres server by DATABASE_URL.',
  );
  try {
    const client = await PGlite.create(path.join(folder, 'postgres'));
    const db = drizzlePglite(client);
    const migrate = async (migrationsFolder: string) => migratePglite(db, { migrationsFolder });
    if (migrations !== undefined) await migrate(migrations);
    return {
      db,
      kind: 'embedded',
      others: async () => 0,
      migrate,
      ping: async () => void (await db.execute(sql`select 1`)),
      close: once(async () => {
        await client.close();
        release();
      }),
    };
  } catch (thrown) {
    release();
    throw thrown;
  }
}

async function openPostgres(
  url: string,
  migrations: string | undefined,
  log: Log,
): Promise<OpenDatabase> {
  const urls = postgresUrls(url);
  const primary = urls.length > 1 ? new PostgresPrimary(urls, log) : undefined;
  primary?.start();
  const pool = new Pool({
    connectionString: urls[0],
    ...(primary && { Client: primary.clientClass() }),
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    // As a command: poolers such as PgBouncer refuse connections that ask for it at their start.
    // oxlint-disable-next-line no-misused-promises -- the pool waits for it, though its types do not say so
    onConnect: async (client) => {
      await client.query(`set idle_in_transaction_session_timeout = ${FROZEN_LIMIT_MS}`);
    },
    application_name: APPLICATION,
  });
  // A connection that breaks is replaced; unheard, its event would end the process. The pool hears those that
  // are idle; one that a transaction holds between two of its queries is nobody's.
  const lost = (error: Error) => log.warn({ err: error }, 'database connection lost');
  pool.on('error', lost);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const migrate = async (folder: string) => migrateAlone(pool, folder);
  try {
    if (migrations === undefined) await pool.query('select 1');
    else await migrate(migrations);
  } catch (thrown) {
    primary?.stop();
    await pool.end();
    throw unreachable(thrown);
  }
  const db = Object.assign(drizzleNodePostgres(pool), { transaction: transactionsOf(pool) });
  return {
    db,
    kind: 'postgres',
    others: async () => countOthers(pool),
    migrate,
    ping: async () => void (await db.execute(sql`select 1`)),
    close: once(async () => {
      primary?.stop();
      await pool.end();
    }),
  };
}

/**
 * Drizzle's own transactions keep a connection for ever whose `begin` fails, as it does when the server goes;
 * after as many as the pool has, nothing could be asked any more. Here each goes back, a doubtful one to its end.
 */
function transactionsOf(pool: Pool): Database['transaction'] {
  return async (run, config) => {
    const client = await pool.connect();
    let done = false;
    try {
      const result = await drizzleNodePostgres(client).transaction(run, config);
      done = true;
      return result;
    } finally {
      client.release(!done);
    }
  };
}

async function countOthers(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
     where application_name = $1 and datname = current_database() and pid <> pg_backend_pid()`,
    [APPLICATION],
  );
  return rows[0]?.count ?? 0;
}

/** Migrates under an advisory lock, so that several apis can start at the same time. */
async function migrateAlone(pool: Pool, migrations: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migrateNodePostgres(drizzleNodePostgres(client), { migrationsFolder: migrations });
  } finally {
    // The lock belongs to the connection, and goes with it.
    client.release(true);
  }
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return async () => (running ??= run());
}

function unreachable(thrown: unknown): Error {
  const error = asError(thrown);
  const code = 'code' in error ? String(error.code) : '';
  if (!/^(E[A-Z]+|28\w{3}|3D000|57P03)$/.test(code) && !/timeout/i.test(error.message))
    return error;
  return new OperatorError(`The database cannot be reached: ${error.message || code}.`, {
    remedy: 'Check DATABASE_URL (host, port, user, password, database) and that the server runs.',
    cause: error,
  });
}
