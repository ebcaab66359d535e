import { execFile } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_KEY, startTestApi, type TestApi } from '../src/api/testing.ts';
import { databaseMaker, type DatabaseMaker } from '../src/call/ledger/testing.ts';

const program = path.resolve(import.meta.dirname, '../bin/trunkline');

/** The api alone: commands ask nothing else. */
let maker: DatabaseMaker;
let api: TestApi;
let url: string;

beforeAll(async () => {
  maker = await databaseMaker('embedded');
  api = await startTestApi(async () => maker.open());
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await api.close();
  await maker.remove();
});

type Ran = { code: number; out: string; err: string };

/** The command as a person runs it. */
async function trunkline(args: string[], environment: Record<string, string> = {}): Promise<Ran> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    API_KEY,
    API_INTERNAL_URL: url,
    LIVEKIT_API_KEY: 'key',
    LIVEKIT_API_SECRET: 'secret-of-livekit-0123456789-0123456789',
    ...environment,
  };
  return new Promise((resolve) => {
    // No `.env` there.
    execFile(program, args, { cwd: import.meta.dirname, env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

const calls = async (key: string) =>
  (await fetch(`${url}/api/calls`, { headers: { 'x-api-key': key } })).status;

describe('trunkline key', () => {
  it('makes a key, lists it, and revokes it', async () => {
    const options = '--scopes read,call --expires 90d --rate-limit 600'.split(' ');
    const made = await trunkline(['key', 'create', 'n8n in the cellar', ...options]);
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^tl_\w{49}\n$/) });
    const key = made.out.trim();
    const id = /key_\w{26}/.exec(made.err)?.[0] ?? '';
    expect(made.err).toContain(
      `n8n in the cellar (${id}): read, call, 600 requests a minute, until`,
    );
    expect(await calls(key)).toBe(200);

    const list = await trunkline(['key', 'list']);
    expect(list.out).toMatch(
      new RegExp(`${id} +n8n in the cellar +${key.slice(0, 10)}… +read,call`),
    );
    expect(list.out).not.toContain(key);

    const revoked = await trunkline(['key', 'revoke', id]);
    expect(revoked).toMatchObject({ code: 0, out: `n8n in the cellar (${id}) is revoked.\n` });
    expect(await calls(key)).toBe(401);
    expect((await trunkline(['key', 'list'])).out).toBe('There are no keys but API_KEY.\n');
    const all = await trunkline(['key', 'list', '--all', '--json']);
    expect(JSON.parse(all.out)).toMatchObject([{ id, state: 'revoked', rate_limit: 600 }]);

    const audit = await trunkline(['audit', '--subject', id]);
    expect(audit.out).toMatch(/API_KEY +key\.revoke +key_.*\n.*API_KEY +key\.create +key_/);
  });

  it('tells what is wrong, and what to do', async () => {
    const create = ['key', 'create', 'x', '--scopes', 'read'];
    const cases: [string[], Record<string, string>, RegExp][] = [
      [[...create, '--scopes', 'read,admin'], {}, /no scope admin[^]*read, call, manage/],
      [[...create, '--expires', 'soon'], {}, /soon is no time[^]*90d/],
      [[...create, '--expires', '2020-01-01'], {}, /expires_at: must be in the future/],
      [[...create, '--rate-limit', 'many'], {}, /many is no number/],
      [[...create, '--rate-limit', '0'], {}, /rate_limit: /],
      [['key', 'revoke', 'key_none'], {}, /no key with this id/],
      [create, { API_KEY: 'not-the-key-of-the-api' }, /not known[^]*Check API_KEY/],
      [create, { API_INTERNAL_URL: 'http://127.0.0.1:9' }, /does not answer at[^]*trunkline up/],
      [['audit', '--limit', '0'], {}, /from 1 to 200/],
    ];
    for (const [args, environment, told] of cases) {
      const ran = await trunkline(args, environment);
      expect([ran.code, ran.out], args.join(' ')).toEqual([1, '']);
      expect(ran.err).toMatch(told);
      expect(ran.err).not.toMatch(/\n\s+at /);
    }
  });
});
