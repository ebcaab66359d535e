import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { databaseMaker, silentLog, type DatabaseMaker } from '../call/ledger/testing.ts';
import type { OpenDatabase } from '../platform/database.ts';
import { WorkspaceRows } from '../platform/workspace-rows.ts';
import { digestOf, isApiKey, newApiKey, prefixOf } from './api-key.ts';
import { listActions } from './audit.ts';
import { KeyRing } from './key-ring.ts';
import { Keys } from './keys.ts';
import { apiKeys } from './schema.ts';

const ROOT_KEY = 'the-key-of-the-configuration';
const actor = { id: 'root', name: 'API_KEY' };

describe('a key', () => {
  it('is recognised by its mark and checksum, and differs every time', () => {
    const keys = Array.from({ length: 200 }, newApiKey);
    expect(new Set(keys).size).toBe(200);
    expect(new Set(keys.map(prefixOf)).size).toBe(200);
    for (const key of keys) expect(key).toMatch(/^tl_[0-9A-Za-z]{49}$/);
    expect(keys.filter(isApiKey)).toHaveLength(200);
  });

  it('is told from one that was mistyped, cut off or invented', () => {
    const key = newApiKey();
    const other = key[20] === 'a' ? 'b' : 'a';
    const mistyped = `${key.slice(0, 20)}${other}${key.slice(21)}`;
    for (const wrong of [
      mistyped,
      key.slice(0, -1),
      `${key}0`,
      ` ${key}`,
      '',
      `tl_${'0'.repeat(48)}1`,
    ]) {
      expect(isApiKey(wrong), wrong).toBe(false);
    }
  });
});

describe.each(['embedded', 'postgres'] as const)('keys on the %s database', (kind) => {
  let maker: DatabaseMaker;
  let database: OpenDatabase;
  let rows: WorkspaceRows;
  let ring: KeyRing;
  let keys: Keys;

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    database = await maker.open();
    rows = new WorkspaceRows(database.db, 'default');
  });
  afterAll(() => maker.remove());
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    ring = new KeyRing({ rootKey: ROOT_KEY, rows, log: silentLog });
    keys = new Keys({ rows, ring });
  });
  afterEach(async () => {
    await ring.close();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const later = (ms: number) => vi.setSystemTime(Date.now() + ms);
  const make = async (more: Partial<Parameters<Keys['create']>[1]> = {}) =>
    keys.create(actor, { name: 'n8n', scopes: ['read'], ...more });
  const stored = async (id: string) => {
    await ring.close();
    return (await rows.select(apiKeys, { where: eq(apiKeys.id, id) }))[0];
  };

  it('are known by their hash, and only that is kept', async () => {
    const { key, row } = await make({ scopes: ['call', 'read', 'call'], rateLimit: 7 });
    expect(await ring.identify(key)).toEqual({
      id: row.id,
      name: 'n8n',
      scopes: ['read', 'call'],
      rateLimit: 7,
    });
    const kept = await stored(row.id);
    expect(kept?.hash).toBe(digestOf(key).toString('hex'));
    expect(JSON.stringify(kept)).not.toContain(key.slice(10));
    expect(kept?.prefix).toBe(key.slice(0, 10));
  });

  it('beside that of the configuration, which needs no database', async () => {
    vi.spyOn(rows, 'select').mockRejectedValue(new Error('away'));
    expect(await ring.identify(ROOT_KEY)).toMatchObject({ id: 'root', scopes: ['manage'] });
    expect(await ring.identify(`${ROOT_KEY}x`)).toBe('unknown');
    expect(await ring.identify('')).toBe('unknown');
  });

  it('that nobody made are unknown; what cannot be one costs no query', async () => {
    const asked = vi.spyOn(rows, 'select');
    const stranger = newApiKey();
    expect(await ring.identify(stranger)).toBe('unknown');
    expect(await ring.identify(stranger)).toBe('unknown');
    expect(asked).toHaveBeenCalledTimes(1);
    expect(await ring.identify('tl_invented')).toBe('unknown');
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('are looked up once for requests that come at once, and again after five seconds', async () => {
    const { key } = await make();
    const asked = vi.spyOn(rows, 'select');
    await Promise.all(Array.from({ length: 50 }, async () => ring.identify(key)));
    expect(asked).toHaveBeenCalledTimes(1);
    later(4999);
    await ring.identify(key);
    expect(asked).toHaveBeenCalledTimes(1);
    later(2);
    await ring.identify(key);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('expire to the millisecond', async () => {
    const { key } = await make({ expiresAt: new Date(Date.now() + 1000) });
    later(999);
    expect(await ring.identify(key)).toMatchObject({ name: 'n8n' });
    later(1);
    expect(await ring.identify(key)).toBe('expired');
  });

  it('are revoked at once here and within five seconds elsewhere, however often it is asked', async () => {
    const { key, row } = await make();
    const elsewhere = new KeyRing({ rootKey: ROOT_KEY, rows, log: silentLog });
    await ring.identify(key);
    await elsewhere.identify(key);
    const [first, second] = await Promise.all([
      keys.revoke(actor, row.id),
      keys.revoke(actor, row.id),
    ]);
    expect(first?.revokedAt).toEqual(second?.revokedAt);
    expect(await ring.identify(key)).toBe('revoked');
    later(5001);
    expect(await elsewhere.identify(key)).toBe('revoked');
    await elsewhere.close();
    const records = await listActions(rows, { subject: row.id, limit: 10 });
    expect(records.map(({ action }) => action).toSorted()).toEqual(['key.create', 'key.revoke']);
    expect(JSON.stringify(records)).not.toContain(key.slice(10));
    expect(await keys.revoke(actor, 'key_of_nobody')).toBeUndefined();
  });

  it('stay revoked though a look at the database was under way', async () => {
    const { key, row } = await make();
    const select = rows.select.bind(rows);
    const gate = Promise.withResolvers<void>();
    vi.spyOn(rows, 'select').mockImplementationOnce(async (...args) => {
      const found = await select(...args);
      await gate.promise;
      return found;
    });
    const early = ring.identify(key);
    await keys.revoke(actor, row.id);
    gate.resolve();
    await early;
    expect(await ring.identify(key)).toBe('revoked');
  });

  it('that were seen are good while the database is away, others are not judged', async () => {
    const { key } = await make();
    const { key: unseen } = await make();
    await ring.identify(key);
    later(6000);
    const asked = vi.spyOn(rows, 'select').mockRejectedValue(new Error('away'));
    expect(await ring.identify(key)).toMatchObject({ name: 'n8n' });
    expect(await ring.identify(key)).toMatchObject({ name: 'n8n' });
    await expect(ring.identify(unseen)).rejects.toThrow('cannot be looked up');
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
    later(2001);
    expect(await ring.identify(unseen)).toMatchObject({ name: 'n8n' });
    later(60 * 60_000);
    vi.spyOn(rows, 'select').mockRejectedValue(new Error('away'));
    await expect(ring.identify(key)).rejects.toThrow('cannot be looked up');
  });

  it('note their use once a minute', async () => {
    const { key, row } = await make();
    const updates = vi.spyOn(rows, 'update');
    await ring.identify(key);
    const used = (await stored(row.id))?.lastUsedAt?.getTime();
    expect(used).toBe(Date.now());
    for (let second = 0; second < 59; second += 1) {
      later(1000);
      await ring.identify(key);
    }
    expect(updates).toHaveBeenCalledTimes(1);
    later(1001);
    await ring.identify(key);
    expect(updates).toHaveBeenCalledTimes(2);
    expect((await stored(row.id))?.lastUsedAt?.getTime()).toBe(Date.now());
  });

  it('of another workspace are unknown', async () => {
    const { key } = await make();
    const other = new WorkspaceRows(database.db, 'other');
    const stranger = new KeyRing({ rootKey: ROOT_KEY, rows: other, log: silentLog });
    expect(await stranger.identify(key)).toBe('unknown');
    expect(await listActions(other, { limit: 1 })).toEqual([]);
  });

  it('leave records that can be filtered and paged', async () => {
    const since = new Date(Date.now() + 60_000);
    vi.setSystemTime(since);
    const { row } = await make({ name: 'first' });
    later(1000);
    await keys.create({ id: row.id, name: 'first' }, { name: 'second', scopes: ['manage'] });
    later(1000);
    await keys.revoke({ id: row.id, name: 'first' }, row.id);
    const actions = async (filter: object) =>
      (await listActions(rows, { since, limit: 10, ...filter })).map(({ action }) => action);
    expect(await actions({})).toEqual(['key.revoke', 'key.create', 'key.create']);
    expect(await actions({ action: 'key.create' })).toHaveLength(2);
    expect(await actions({ action: 'key' })).toHaveLength(3);
    expect(await actions({ action: 'ke' })).toEqual([]);
    expect(await actions({ action: '%' })).toEqual([]);
    expect(await actions({ actor: row.id })).toEqual(['key.revoke', 'key.create']);
    expect(await actions({ until: new Date(since.getTime() + 1000) })).toEqual(['key.create']);
    const [newest] = await listActions(rows, { limit: 1 });
    expect(await actions({ before: newest?.id })).toEqual(['key.create', 'key.create']);
  });
});
