import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { openDatabase, type Database, type OpenDatabase } from '../../platform/database.ts';
import { firstMigrations } from '../../platform/migrations.ts';
import { PostgresServer } from '../../platform/testing/postgres-server.ts';
import { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { newCallId, type CallId } from '../call-id.ts';
import { LEDGER_MIGRATIONS } from './ledger.ts';
import { calls, type CallRow } from './schema.ts';

export const silentLog = pino({ level: 'silent' });

/** Makes empty ledger databases of one kind for tests, and removes whatever they used. */
export type DatabaseMaker = {
  /** @param how `migrations`: only the first so many, as an earlier version had them */
  open(how?: { migrations?: number }): Promise<OpenDatabase>;
  remove(): Promise<void>;
};

export async function databaseMaker(kind: OpenDatabase['kind']): Promise<DatabaseMaker> {
  return kind === 'embedded' ? embeddedMaker() : postgresMaker();
}

function embeddedMaker(): DatabaseMaker {
  const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-ledger-'));
  const opened: OpenDatabase[] = [];
  return {
    open: async (how) => {
      const database = await openDatabase({
        url: undefined,
        folder: path.join(folder, randomUUID()),
        log: silentLog,
      });
      await migrate(database, how?.migrations);
      opened.push(database);
      return database;
    },
    remove: async () => {
      for (const database of opened) await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function postgresMaker(): Promise<DatabaseMaker> {
  const server = await PostgresServer.start();
  const opened: OpenDatabase[] = [];
  return {
    open: async (how) => {
      const url = await server.createDatabase(randomUUID());
      const database = await openDatabase({ url, folder: '', log: silentLog });
      await migrate(database, how?.migrations);
      opened.push(database);
      return database;
    },
    remove: async () => {
      for (const database of opened) await database.close();
      await server.remove();
    },
  };
}

async function migrate(database: OpenDatabase, count: number | undefined): Promise<void> {
  if (count === undefined) {
    await database.migrate(LEDGER_MIGRATIONS);
    return;
  }
  const some = firstMigrations(LEDGER_MIGRATIONS, count);
  try {
    await database.migrate(some.folder);
  } finally {
    some.remove();
  }
}

/** Writes a call into the ledger as it is, without its having happened. */
export async function writeCall(db: Database, call: Partial<CallRow> = {}): Promise<CallId> {
  const startedAt = call.startedAt ?? new Date();
  const id = newCallId(startedAt.getTime());
  const row = { id, direction: 'outbound', status: 'queued', startedAt, ...call } as const;
  await new WorkspaceRows(db, 'default').insert(calls, [row]);
  return row.id as CallId;
}
