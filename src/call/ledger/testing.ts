import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { openDatabase, type OpenDatabase } from '../../platform/database.ts';
import { PostgresServer } from '../../platform/testing/postgres-server.ts';
import { LEDGER_MIGRATIONS } from './ledger.ts';

export const silentLog = pino({ level: 'silent' });

/** Makes empty ledger databases of one kind for tests, and removes whatever they used. */
export type DatabaseMaker = {
  open(): Promise<OpenDatabase>;
  remove(): Promise<void>;
};

export async function databaseMaker(kind: OpenDatabase['kind']): Promise<DatabaseMaker> {
  return kind === 'embedded' ? embeddedMaker() : postgresMaker();
}

function embeddedMaker(): DatabaseMaker {
  const folder = mkdtempSync(path.join(tmpdir(), 'trunkline-ledger-'));
  const opened: OpenDatabase[] = [];
  return {
    open: async () => {
      const database = await openDatabase({
        url: undefined,
        folder: path.join(folder, randomUUID()),
        migrations: LEDGER_MIGRATIONS,
        log: silentLog,
      });
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
    open: async () => {
      const url = await server.createDatabase(randomUUID());
      const migrations = LEDGER_MIGRATIONS;
      const database = await openDatabase({ url, folder: '', migrations, log: silentLog });
      opened.push(database);
      return database;
    },
    remove: async () => {
      for (const database of opened) await database.close();
      await server.remove();
    },
  };
}
