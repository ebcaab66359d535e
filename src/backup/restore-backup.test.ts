import { createWriteStream, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseMaker, type DatabaseMaker } from '../call/ledger/testing.ts';
import { loadConfig } from '../platform/config.ts';
import type { OpenDatabase } from '../platform/database.ts';
import { restoreBackup } from './restore-backup.ts';

let maker: DatabaseMaker;
let database: OpenDatabase;
let folder: string;

beforeAll(async () => {
  maker = await databaseMaker('embedded');
  database = await maker.open();
  folder = mkdtempSync(path.join(tmpdir(), 'trunkline-restore-'));
});
afterAll(async () => {
  await maker.remove();
  rmSync(folder, { recursive: true });
});

it.each([
  'config/agents/../../escaped',
  'config/../escaped',
  'config/./escaped',
  'config//escaped',
  'config/',
  '/escaped',
  'recordings/../escaped',
  'escaped',
])('writes nothing of an archive in which a file is called %s', async (name) => {
  const root = path.join(folder, 'root');
  const file = path.join(folder, 'one.tar.gz');
  const archive = pack();
  const manifest = { format: 1, madeAt: new Date().toISOString(), rows: {} };
  archive.entry({ name: 'manifest.json' }, JSON.stringify(manifest));
  archive.entry({ name, type: 'file' }, 'x');
  archive.finalize();
  await pipeline(archive, createGzip(), createWriteStream(file));
  const config = loadConfig({
    root,
    environment: {
      API_KEY: 'key-of-the-api-0123456789',
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'secret-of-livekit-0123456789-0123456789',
    },
  });
  const restored = restoreBackup({
    config,
    file,
    database,
    workspace: 'default',
    replace: false,
    withConfig: true,
  });
  await expect(restored).rejects.toMatchObject({ remedy: expect.any(String) });
  expect(existsSync(root)).toBe(false);
  expect(readdirSync(folder)).toEqual(['one.tar.gz']);
});
