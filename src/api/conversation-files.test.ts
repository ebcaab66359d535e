import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { callEvent } from '../call/call-event.ts';
import { newCallId, type CallId } from '../call/call-id.ts';
import { EventPublisher } from '../call/event-stream.ts';
import { Ledger } from '../call/ledger/ledger.ts';
import { recordEvents } from '../call/ledger/record-events.ts';
import { databaseMaker, silentLog, type DatabaseMaker } from '../call/ledger/testing.ts';
import type { Database } from '../platform/database.ts';
import { ConversationFiler, type ConversationFormat } from './conversation-filer.ts';
import { ConversationFolder } from './conversation-folder.ts';
import { startTestApi } from './testing.ts';

let folder: string;
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'trunkline-conversations-')), 'below', 'it');
});
afterEach(() => rmSync(path.join(folder, '..', '..'), { recursive: true, force: true }));

const permissions = (file: string) => statSync(file).mode & 0o777;

describe('a folder of conversations', () => {
  it('is its owner’s alone, and so are its files', async () => {
    const conversations = new ConversationFolder(folder);
    await conversations.prepare();
    const id = newCallId(Date.UTC(2026, 10, 21, 23, 59, 59));
    await conversations.write(id, 'md', 'Grüße');
    await conversations.write(id, 'md', 'Grüße!');
    expect(readdirSync(folder)).toEqual([`2026-11-21_${id}.md`]);
    const file = path.join(folder, `2026-11-21_${id}.md`);
    expect(readFileSync(file, 'utf8')).toBe('Grüße!');
    expect(permissions(file)).toBe(0o600);
    expect(permissions(folder)).toBe(0o700);
  });

  it('loses what it has of a call, finished or not, and nothing else', async () => {
    const conversations = new ConversationFolder(folder);
    const [id, other] = [newCallId(), newCallId()];
    await conversations.remove(id);
    await conversations.prepare();
    await conversations.write(id, 'md', 'x');
    await conversations.write(id, 'json', 'x');
    await conversations.write(other, 'md', 'x');
    const name = readdirSync(folder).find((one) => one.includes(id));
    writeFileSync(path.join(folder, `.unfinished-${name}.1`), 'x');
    await conversations.remove(id);
    expect(readdirSync(folder)).toEqual([expect.stringContaining(other)]);
  });

  it('replaces a link instead of writing to where it leads', async () => {
    const conversations = new ConversationFolder(folder);
    await conversations.prepare();
    const id = newCallId();
    await conversations.write(id, 'md', 'x');
    const [name = ''] = readdirSync(folder);
    const elsewhere = path.join(folder, '..', 'elsewhere');
    rmSync(path.join(folder, name));
    symlinkSync(elsewhere, path.join(folder, name));
    await conversations.write(id, 'md', 'y');
    expect(existsSync(elsewhere)).toBe(false);
    expect(readFileSync(path.join(folder, name), 'utf8')).toBe('y');
  });

  it('makes a name of whatever an id is', async () => {
    const conversations = new ConversationFolder(folder);
    await conversations.prepare();
    await conversations.write('call_../../x', 'md', 'x');
    expect(readdirSync(folder)).toEqual(['undated_call_------x.md']);
  });

  it('is rid of what writers left that died, and not of what is being written', async () => {
    mkdirSync(folder, { recursive: true });
    const [old, young] = ['.unfinished-a.md.1', '.unfinished-b.md.1'];
    for (const name of [old, young]) writeFileSync(path.join(folder, name), 'x');
    const long = new Date(Date.now() - 7_200_000);
    utimesSync(path.join(folder, old), long, long);
    await new ConversationFolder(folder).prepare();
    expect(readdirSync(folder)).toEqual([young]);
  });
});

describe.each(['embedded', 'postgres'] as const)('files of conversations on %s', (kind) => {
  let maker: DatabaseMaker;
  let db: Database;
  let ledger: Ledger;

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    ({ db } = await maker.open());
    ledger = new Ledger(db, 'default');
  });
  afterAll(async () => maker.remove());

  const says = async (call: CallId, text: string) =>
    recordEvents(db, [callEvent('turn', call, { role: 'caller', text, interrupted: false })]);
  const ends = async (call: CallId) =>
    recordEvents(db, [
      callEvent('call.ended', call, { outcome: 'completed', reason: 'x', hungUpBy: 'agent' }),
    ]);
  const filer = (format: ConversationFormat = 'markdown') =>
    new ConversationFiler({
      ledger,
      folder: new ConversationFolder(folder),
      format,
      log: silentLog,
    });
  const files = () => readdirSync(folder).toSorted();
  const contentOf = (call: CallId, ending: string) => {
    const name = files().find((one) => one.endsWith(`${call}.${ending}`)) ?? '';
    return readFileSync(path.join(folder, name), 'utf8');
  };

  it('hold what was said, in the formats that are wanted, once the call has ended', async () => {
    const call = newCallId();
    await says(call, 'Grüße');
    await filer('both').run();
    expect(files()).toEqual([]);
    await ends(call);
    await filer('both').run();
    expect(files()).toHaveLength(2);
    expect(contentOf(call, 'md')).toContain('**Caller** (00:00:00): Grüße');
    expect(JSON.parse(contentOf(call, 'json'))).toMatchObject({
      id: call,
      outcome: 'completed',
      turns: [{ text: 'Grüße' }],
    });
  });

  it('are written once, and again where something was said late', async () => {
    const call = newCallId();
    await ends(call);
    await says(call, 'first');
    await filer().run();
    rmSync(folder, { recursive: true });
    await filer().run();
    expect(files()).toEqual([]);
    await says(call, 'second');
    await filer().run();
    expect(contentOf(call, 'md')).toMatch(/first[^]*second/);
  });

  it('are all there when several write at once, and many wait', async () => {
    const calls = Array.from({ length: 60 }, () => newCallId());
    for (const call of calls) {
      await says(call, 'x');
      await ends(call);
    }
    await Promise.all([filer().run(), filer().run(), filer().run()]);
    expect(files()).toHaveLength(60);
  });

  it('come when there is a folder, where a file stood in its place', async () => {
    const call = newCallId();
    await says(call, 'x');
    await ends(call);
    mkdirSync(path.dirname(folder), { recursive: true });
    writeFileSync(folder, 'in the way');
    const one = filer();
    await expect(one.run()).rejects.toThrow(/EEXIST|ENOTDIR/);
    rmSync(folder);
    await one.run();
    expect(files()).toHaveLength(1);
  });

  it('are not left of a call that is erased while its file is written', async () => {
    const call = newCallId();
    await says(call, 'x');
    await ends(call);
    const conversations = new ConversationFolder(folder);
    const write = conversations.write.bind(conversations);
    vi.spyOn(conversations, 'write').mockImplementation(async (...file) => {
      await ledger.erase(call, async () => undefined);
      await conversations.remove(call);
      await write(...file);
    });
    const one = new ConversationFiler({
      ledger,
      folder: conversations,
      format: 'markdown',
      log: silentLog,
    });
    await one.run();
    expect(files()).toEqual([]);
  });

  it('are written by the api as soon as a conversation ends, and after its start', async () => {
    const before = newCallId();
    const environment = { CONVERSATIONS_DIR: folder };
    const own = await databaseMaker(kind);
    const database = await own.open();
    await recordEvents(database.db, [
      callEvent('turn', before, { role: 'agent', text: 'x', interrupted: false }),
      callEvent('call.ended', before, { outcome: 'completed', reason: 'x', hungUpBy: 'agent' }),
    ]);
    const api = await startTestApi(async () => database, silentLog, environment);
    try {
      await vi.waitFor(() => expect(files()).toHaveLength(1), { timeout: 20_000 });
      const publisher = new EventPublisher(api.redis);
      const call = newCallId();
      await publisher.publish('turn', call, { role: 'agent', text: 'x', interrupted: false });
      await publisher.publish('call.ended', call, {
        outcome: 'completed',
        reason: 'x',
        hungUpBy: 'agent',
      });
      await vi.waitFor(() => expect(files()).toHaveLength(2), { timeout: 20_000 });
    } finally {
      await api.close();
      await own.remove();
    }
  });
});
