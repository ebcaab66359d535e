import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { callEvent, type CallEvent } from '../call-event.ts';
import { newCallId, type CallId } from '../call-id.ts';
import type { Database } from '../../platform/database.ts';
import { Ledger } from './ledger.ts';
import { recordEvents, type Alongside } from './record-events.ts';
import { databaseMaker, writeCall, type DatabaseMaker } from './testing.ts';

const NUMBER = '+12025550123';
const WORDS = 'My name is Ada Lovelace';

function life(call: CallId): CallEvent[] {
  return [
    callEvent('call.received', call, {
      from: NUMBER,
      to: '+12025550110',
      trunk: 'simulator',
      personality: 'receptionist',
      simulated: true,
      sipCallId: 'SCL_1',
    }),
    callEvent('call.answered', call, { personality: 'receptionist', simulated: true }),
    callEvent('turn', call, {
      role: 'caller',
      text: WORDS,
      interrupted: false,
      latency: { total: 700 },
    }),
    callEvent('call.ended', call, {
      outcome: 'completed',
      reason: 'The caller hung up.',
      hungUpBy: 'caller',
    }),
  ];
}

describe.each(['embedded', 'postgres'] as const)('erasing a call on the %s database', (kind) => {
  let maker: DatabaseMaker;
  let db: Database;
  let ledger: Ledger;

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    ({ db } = await maker.open());
    ledger = new Ledger(db, 'default');
  });
  afterAll(async () => maker.remove());

  const nothing = async () => undefined;

  it('removes the person and keeps the shell', async () => {
    const call = newCallId();
    await recordEvents(db, life(call));
    const alongside = vi.fn<() => Promise<void>>(nothing);
    expect(await ledger.erase(call, alongside)).toMatchObject({ kind: 'erased', again: false });
    expect(alongside).toHaveBeenCalledTimes(1);
    const record = await ledger.find(call);
    expect(JSON.stringify(record)).not.toMatch(/2025550|Lovelace|SCL_1/);
    expect(record?.call).toMatchObject({
      status: 'ended',
      outcome: 'completed',
      reason: 'The caller hung up.',
      trunk: 'simulator',
      personality: 'receptionist',
      turns: 1,
      erasedAt: expect.any(Date),
    });
    expect(record?.turns).toMatchObject([{ role: 'caller', text: '', latency: { total: 700 } }]);
    expect(record?.timeline.map(({ type, data }) => [type, data])).toEqual([
      ['call.received', {}],
      ['call.answered', {}],
      ['call.ended', {}],
    ]);
  });

  it('changes nothing when it is repeated', async () => {
    const call = newCallId();
    await recordEvents(db, life(call));
    await ledger.erase(call, nothing);
    const first = await ledger.find(call);
    expect(await ledger.erase(call, nothing)).toMatchObject({ kind: 'erased', again: true });
    expect(await ledger.find(call)).toEqual(first);
  });

  it('refuses a call that has not ended, and knows no call that is not there', async () => {
    const call = newCallId();
    await recordEvents(db, life(call).slice(0, -1));
    expect(await ledger.erase(call, nothing)).toMatchObject({ kind: 'not_ended' });
    expect((await ledger.find(call))?.call).toMatchObject({ from: NUMBER, erasedAt: null });
    expect(await ledger.erase(newCallId(), nothing)).toEqual({ kind: 'unknown' });
  });

  it('takes a public id once, since that is erased too', async () => {
    const publicId = `outbound-20261121-120000-${NUMBER}-${kind}`;
    const id = await writeCall(db, { publicId, to: NUMBER, status: 'ended', endedAt: new Date() });
    expect(await ledger.erase(publicId, nothing)).toMatchObject({ kind: 'erased' });
    expect(await ledger.erase(publicId, nothing)).toEqual({ kind: 'unknown' });
    expect(await ledger.erase(id, nothing)).toMatchObject({ kind: 'erased', again: true });
  });

  it('does not bring anything back with what arrives late', async () => {
    const call = newCallId();
    const [received, answered, turn, ended] = life(call);
    await recordEvents(db, [ended!]);
    await ledger.erase(call, nothing);
    const alongside = vi.fn<Alongside>(nothing);
    const recorded = callEvent('call.recorded', call, { file: 'a.wav', durationMs: 1, bytes: 1 });
    await recordEvents(db, [received!, answered!, turn!, recorded], alongside);
    expect(alongside).not.toHaveBeenCalled();
    const record = await ledger.find(call);
    expect(record?.call).toMatchObject({ from: null, to: null, trunk: null, turns: 0 });
    expect(record?.turns).toEqual([]);
    expect(record?.timeline.map(({ data }) => data)).toEqual([{}, {}, {}, {}]);
    expect(JSON.stringify(record)).not.toMatch(/2025550|Lovelace/);
    // The recording is named until its file is gone.
    expect((await ledger.erasedRecordings()).map(({ id }) => id)).toContain(call);
    await ledger.forgetRecording(call);
    expect((await ledger.erasedRecordings()).map(({ id }) => id)).not.toContain(call);
  });

  it('leaves nothing behind where events are written at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const call = newCallId();
      const [received, answered, turn, ended] = life(call);
      await recordEvents(db, [ended!]);
      await Promise.all([
        recordEvents(db, [turn!, received!]),
        ledger.erase(call, nothing),
        recordEvents(db, [answered!]),
      ]);
      const record = await ledger.find(call);
      expect(record?.call.erasedAt).not.toBeNull();
      expect(JSON.stringify(record)).not.toMatch(/2025550|Lovelace|SCL_1/);
    }
  });

  it('writes nothing where what stands alongside fails', async () => {
    const call = newCallId();
    await recordEvents(db, life(call));
    const failing = async () => Promise.reject(new Error('no'));
    await expect(ledger.erase(call, failing)).rejects.toThrow();
    expect((await ledger.find(call))?.call).toMatchObject({ from: NUMBER, erasedAt: null });
  });

  it('erases a reason that holds a number, and not another', async () => {
    const ended = { status: 'ended', endedAt: new Date() } as const;
    const named = await writeCall(db, { ...ended, reason: `Only ${NUMBER} is permitted.` });
    const nameless = await writeCall(db, { ...ended, reason: 'Only +1202 is permitted.' });
    for (const id of [named, nameless]) await ledger.erase(id, nothing);
    expect((await ledger.find(named))?.call.reason).toBeNull();
    expect((await ledger.find(nameless))?.call.reason).toBe('Only +1202 is permitted.');
  });
});

describe.each(['embedded', 'postgres'] as const)(
  'the files of calls in the %s database',
  (kind) => {
    let maker: DatabaseMaker;
    let db: Database;
    let ledger: Ledger;

    beforeAll(async () => {
      maker = await databaseMaker(kind);
      ({ db } = await maker.open());
      ledger = new Ledger(db, 'default');
    });
    afterAll(async () => maker.remove());

    const since = new Date(Date.now() - 60_000);
    const unfiled = async () => (await ledger.unfiled(since, 100)).map(({ id }) => id);

    it('are wanting until they are noted, and again when something was said late', async () => {
      const call = newCallId();
      await recordEvents(db, life(call).slice(0, -1));
      expect(await unfiled()).toEqual([]);
      await recordEvents(db, life(call).slice(-1));
      expect(await unfiled()).toEqual([call]);
      const read = (await ledger.find(call))!.call;
      expect(await ledger.noteFiled(read, new Date())).toBe('filed');
      expect(await unfiled()).toEqual([]);
      await recordEvents(db, [
        callEvent('turn', call, { role: 'agent', text: 'Bye.', interrupted: false }),
      ]);
      expect(await unfiled()).toEqual([call]);
      expect(await ledger.noteFiled(read, new Date())).toBe('changed');
      expect(await unfiled()).toEqual([call]);
      await ledger.erase(call, async () => undefined);
      expect(await unfiled()).toEqual([]);
      expect(await ledger.noteFiled(read, new Date())).toBe('erased');
    });

    it('are not wanted of calls in which nobody spoke, or that ended before', async () => {
      await writeCall(db, { status: 'ended', endedAt: new Date() });
      await writeCall(db, { status: 'ended', turns: 2, endedAt: new Date(since.getTime() - 1) });
      expect(await unfiled()).toEqual([]);
    });
  },
);
