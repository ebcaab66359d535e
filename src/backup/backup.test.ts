import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callEvent, type CallEvent } from '../call/call-event.ts';
import { newCallId, type CallId } from '../call/call-id.ts';
import { Ledger, LEDGER_MIGRATIONS } from '../call/ledger/ledger.ts';
import { recordEvents } from '../call/ledger/record-events.ts';
import { databaseMaker, type DatabaseMaker } from '../call/ledger/testing.ts';
import { recordingFile } from '../call/recording/recording-file.ts';
import { loadConfig, type Config } from '../platform/config.ts';
import type { OpenDatabase } from '../platform/database.ts';
import { countRows, tablesOf } from '../platform/database-dump.ts';
import { migrationNames, rowsOf } from '../platform/migrations.ts';
import { backupLines } from './backup-lines.ts';
import { makeBackup } from './make-backup.ts';
import { restoreBackup } from './restore-backup.ts';
import { upgradeDatabase } from './upgrade-database.ts';

/** More than a page of a dump. */
const CALLS = 620;
const HOUR_MS = 3_600_000;

const order = (to: string, notBefore?: number) => ({
  order: {
    workspace: 'default',
    to,
    personality: 'receptionist',
    variables: { name: 'Ada "the first"\n\\ é 漢' },
    metadata: { crm: { id: 4711, tags: ['a', null] } },
    acceptedAt: Date.now(),
    ...(notBefore === undefined ? {} : { notBefore }),
  },
  simulated: true,
  expected: { trunk: 'loopback', from: undefined },
  message: 'The call is queued.',
  idempotency: undefined,
});

async function place(ledger: Ledger, to: string, notBefore?: number): Promise<CallId> {
  const accepted = await ledger.accept(order(to, notBefore));
  if (accepted.kind !== 'accepted') throw new Error(accepted.kind);
  return accepted.answer.callId;
}

/** Calls that were held: each has turns, events and an end. */
async function hold(database: OpenDatabase, count = 1): Promise<CallId> {
  const ids = Array.from({ length: count }, () => newCallId());
  await recordEvents(database.db, ids.flatMap(life));
  return ids[0] ?? newCallId();
}

function life(id: CallId): CallEvent[] {
  const said = "It's 5 o'clock; 'DROP TABLE'";
  return [
    callEvent('call.received', id, {
      from: '+12025550140',
      to: '+12025550110',
      trunk: 'loopback',
      personality: 'receptionist',
      simulated: true,
    }),
    callEvent('turn', id, { role: 'caller', text: said, interrupted: false }),
    callEvent('turn', id, { role: 'agent', text: 'Yes.', interrupted: true }),
    callEvent('call.ended', id, { outcome: 'completed', reason: 'Done.', hungUpBy: 'caller' }),
  ];
}

/** All rows of all tables, as text, whatever order they come in. */
async function contentOf({ db }: OpenDatabase): Promise<Record<string, string[]>> {
  const content: Record<string, string[]> = {};
  for (const { name } of await tablesOf(db)) {
    const rows = await rowsOf<{ row: string }>(
      db,
      sql`select row_to_json(t)::text as row from ${sql.identifier(name)} t`,
    );
    content[name] = rows.map(({ row }) => row).toSorted((a, b) => a.localeCompare(b));
  }
  return content;
}

describe.each([
  ['embedded', 'postgres'],
  ['postgres', 'embedded'],
] as const)('a backup of the %s database, put back into the %s one', (from, into) => {
  let sources: DatabaseMaker;
  let targets: DatabaseMaker;
  let source: OpenDatabase;
  let folder: string;
  let config: Config;
  let file: string;

  beforeAll(async () => {
    [sources, targets] = await Promise.all([databaseMaker(from), databaseMaker(into)]);
  });
  afterAll(async () => {
    await Promise.all([sources.remove(), targets.remove()]);
  });
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'trunkline-backup-'));
    config = loadConfig({
      root: folder,
      environment: {
        API_KEY: 'key-of-the-api-0123456789',
        LIVEKIT_API_KEY: 'key',
        LIVEKIT_API_SECRET: 'secret-of-livekit-0123456789-0123456789',
      },
    });
    file = path.join(folder, 'backups', 'one.tar.gz');
    source = await sources.open();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const backUp = async () =>
    makeBackup({ config, file, lines: backupLines(source.db), recordings: true });
  const restore = async (
    database: OpenDatabase,
    more: { replace?: boolean; withConfig?: boolean } = {},
  ) =>
    restoreBackup({
      config,
      file,
      database,
      workspace: 'default',
      replace: false,
      withConfig: false,
      ...more,
    });

  it('has every row of every table again, and goes on from there', async () => {
    const held = await hold(source);
    await hold(source, CALLS);
    const before = await contentOf(source);
    const report = await backUp();
    expect(report.rows['calls']).toBe(CALLS + 1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(path.dirname(file))).toEqual(['one.tar.gz']);

    const target = await targets.open();
    await restore(target);
    expect(await contentOf(target)).toEqual(before);
    const ledger = new Ledger(target.db, 'default');
    expect((await ledger.find(held))?.turns.map(({ text }) => text)).toEqual([
      "It's 5 o'clock; 'DROP TABLE'",
      'Yes.',
    ]);
    const next = await hold(target);
    expect((await ledger.find(next))?.turns).toHaveLength(2);
  });

  it('dials nobody again: open calls end, and only those of a later time wait for it', async () => {
    const ledger = new Ledger(source.db, 'default');
    const queued = await place(ledger, '+12025550141');
    const overdue = await place(ledger, '+12025550142', Date.now() - HOUR_MS);
    const later = await place(ledger, '+12025550143', Date.now() + HOUR_MS);
    const ringing = await place(ledger, '+12025550144', Date.now() + HOUR_MS);
    await recordEvents(source.db, [callEvent('call.ringing', ringing, {})]);
    await backUp();
    const target = await targets.open();
    expect((await restore(target)).openCalls).toEqual({ ended: 3, queued: 1 });
    const restored = new Ledger(target.db, 'default');
    for (const id of [queued, overdue, ringing]) {
      expect((await restored.find(id))?.call).toMatchObject({ status: 'ended', outcome: 'failed' });
    }
    const { orders } = await restored.queuedOrders(undefined, 10);
    expect(orders.map(({ callId }) => callId)).toEqual([later]);
  });

  it('brings recordings back, and the configuration where it is asked for', async () => {
    const recording = recordingFile(await hold(source));
    const lying = path.join(folder, 'data/recordings', recording);
    mkdirSync(path.dirname(lying), { recursive: true });
    writeFileSync(lying, 'sound');
    writeFileSync(`${lying}.part`, 'unfinished');
    writeFileSync(path.join(folder, '.env'), 'API_PORT=8001\n');
    mkdirSync(path.join(folder, 'agents'));
    writeFileSync(path.join(folder, 'agents/one.yaml'), 'name: One\n');
    await backUp();
    rmSync(path.join(folder, 'data'), { recursive: true });
    rmSync(path.join(folder, 'agents'), { recursive: true });
    writeFileSync(path.join(folder, '.env'), 'API_PORT=9\n');

    expect(await restore(await targets.open())).toMatchObject({ recordings: 1, config: 0 });
    expect(readFileSync(lying, 'utf8')).toBe('sound');
    expect(existsSync(`${lying}.part`)).toBe(false);
    expect(existsSync(path.join(folder, 'agents'))).toBe(false);
    expect(await restore(await targets.open(), { withConfig: true })).toMatchObject({ config: 2 });
    expect(readFileSync(path.join(folder, 'agents/one.yaml'), 'utf8')).toBe('name: One\n');
    expect(readFileSync(path.join(folder, '.env'), 'utf8')).toBe('API_PORT=8001\n');
  });

  it('brings configuration back whatever its files are called, and what links lead to', async () => {
    await hold(source);
    const agents = path.join(folder, 'agents');
    const names = ['Empfang – München (neu).yaml', 'v1.2/one.yaml', '..2026_11_21/two.yaml'];
    for (const name of names) {
      mkdirSync(path.dirname(path.join(agents, name)), { recursive: true });
      writeFileSync(path.join(agents, name), name);
    }
    symlinkSync('v1.2/one.yaml', path.join(agents, 'linked.yaml'));
    symlinkSync('nowhere', path.join(agents, 'lost.yaml'));
    await backUp();
    rmSync(agents, { recursive: true });
    expect(await restore(await targets.open(), { withConfig: true })).toMatchObject({ config: 4 });
    for (const name of names) expect(readFileSync(path.join(agents, name), 'utf8')).toBe(name);
    expect(readFileSync(path.join(agents, 'linked.yaml'), 'utf8')).toBe('v1.2/one.yaml');
  });

  it('refuses a database that holds data, unless it may replace it', async () => {
    const first = await hold(source);
    await backUp();
    const second = await hold(source);
    await expect(restore(source)).rejects.toMatchObject({
      message: 'The database holds data already.',
    });
    await restore(source, { replace: true });
    const ledger = new Ledger(source.db, 'default');
    expect(await ledger.find(first)).toBeDefined();
    expect(await ledger.find(second)).toBeUndefined();
  });

  it('takes no broken file, and leaves the database without a row of it', async () => {
    await hold(source, 50);
    await backUp();
    truncateSync(file, statSync(file).size - 200);
    const target = await targets.open();
    await expect(restore(target)).rejects.toMatchObject({ remedy: expect.any(String) });
    expect(Object.values(await countRows(target.db)).every((count) => count === 0)).toBe(true);
    writeFileSync(file, 'not a backup');
    await expect(restore(target)).rejects.toMatchObject({
      message: 'one.tar.gz cannot be read as a backup.',
    });
  });

  it('brings data of the previous version to this one, in place and by a backup', async () => {
    const names = migrationNames(LEDGER_MIGRATIONS);
    const earlier = await sources.open({ migrations: names.length - 1 });
    await earlier.db.execute(sql`
      insert into calls (workspace, id, public_id, direction, status, started_at, turns, variables, metadata)
      values ('default', 'call_01k000000000000000000000aa', 'outbound-20260101-000000-+12025550123',
        'outbound', 'ended', now(), 1, '{"name":"Ada"}', '{"crm_id":1}')`);
    await earlier.db.execute(sql`
      insert into turns (workspace, id, call_id, role, text, interrupted, at)
      values ('default', 'evt_1', 'call_01k000000000000000000000aa', 'agent', 'Hello.', false, now())`);
    await makeBackup({ config, file, lines: backupLines(earlier.db), recordings: false });

    const report = await upgradeDatabase(config, earlier);
    expect(report.migrations).toEqual(names.slice(-1));
    expect(report.rows).toMatchObject({ calls: 1, turns: 1 });
    expect(existsSync(report.backup ?? '')).toBe(true);
    const target = await targets.open();
    await restore(target);
    for (const database of [earlier, target]) {
      const ledger = new Ledger(database.db, 'default');
      const found = await ledger.find('outbound-20260101-000000-+12025550123');
      expect(found?.call).toMatchObject({ variables: { name: 'Ada' }, recording: null });
      expect(found?.turns.map(({ text }) => text)).toEqual(['Hello.']);
      await hold(database);
    }
    expect(await upgradeDatabase(config, earlier)).toMatchObject({ migrations: [] });
  });

  it('knows a backup of a later version, and leaves it alone', async () => {
    await hold(source);
    const lines = async function* () {
      for await (const line of backupLines(source.db)) {
        yield line.replace(/"migrations":\d+/, '"migrations":99');
      }
    };
    await makeBackup({ config, file, lines: lines(), recordings: false });
    await expect(restore(await targets.open())).rejects.toMatchObject({
      message: 'The backup is of a later version than this one.',
    });
  });
});
