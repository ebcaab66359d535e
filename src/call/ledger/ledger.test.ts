import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database, OpenDatabase } from '../../platform/database.ts';
import { callEvent, type CallEvent } from '../call-event.ts';
import { newCallId } from '../call-id.ts';
import type { KeyedOrder } from './accept-order.ts';
import { Ledger } from './ledger.ts';
import { recordEvents } from './record-events.ts';
import { idempotencyKeys } from './schema.ts';
import { databaseMaker, type DatabaseMaker } from './testing.ts';
import { WorkspaceRows } from '../../platform/workspace-rows.ts';

const NUMBER = '+12025550123';

function newOrder(overrides: Partial<KeyedOrder> = {}, acceptedAt = Date.now()): KeyedOrder {
  return {
    order: {
      workspace: 'default',
      to: NUMBER,
      personality: 'appointment_reminder',
      callerName: 'Practice',
      variables: { name: 'Ada', visits: 2 },
      metadata: { crm: { id: 7 } },
      acceptedAt,
    },
    simulated: true,
    expected: { trunk: 'simulator', from: '+12025550110' },
    message: 'The call is queued.',
    idempotency: undefined,
    ...overrides,
  };
}

function life(call = newCallId()): CallEvent[] {
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
    callEvent('turn', call, { role: 'agent', text: 'Hello.', interrupted: false }),
    callEvent('turn', call, { role: 'caller', text: 'Hi.', interrupted: false }),
    callEvent('call.ended', call, {
      outcome: 'completed',
      reason: 'The caller hung up.',
      hungUpBy: 'caller',
      sipStatus: 200,
    }),
  ].map((event, index) => ({ ...event, at: event.at + index }));
}

/** Every order of a list; for the five events of a life, 120. */
function permutations<T>(list: readonly T[]): T[][] {
  if (list.length <= 1) return [[...list]];
  return list.flatMap((item, index) =>
    permutations(list.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}

describe.each(['embedded', 'postgres'] as const)('the ledger on the %s database', (kind) => {
  let maker: DatabaseMaker;
  let database: OpenDatabase;
  let db: Database;
  let ledger: Ledger;

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    database = await maker.open();
    db = database.db;
  });
  beforeEach(() => {
    ledger = new Ledger(db, 'default');
  });
  afterAll(async () => maker.remove());

  it('writes an order down and gives back the same order for the queue', async () => {
    const accepted = await ledger.accept(newOrder());
    if (accepted.kind !== 'accepted') throw new Error('not accepted');
    const queued = await ledger.queuedOrders(undefined, 1000);
    expect(queued.orders).toContainEqual(accepted.order);
    const record = await ledger.find(accepted.answer.publicId);
    expect(record?.call).toMatchObject({ id: accepted.order.callId, status: 'queued', to: NUMBER });
    expect(record?.timeline.map(({ type }) => type)).toEqual(['call.queued']);
  });

  it('tells calls to one number within one second apart', async () => {
    const at = Date.now();
    const accepted = await Promise.all(
      Array.from({ length: 10 }, async () => ledger.accept(newOrder({}, at))),
    );
    const ids = accepted.map((one) => (one.kind === 'accepted' ? one.answer.publicId : one.kind));
    expect(new Set(ids).size).toBe(10);
    for (const id of ids) expect(id).toMatch(/^outbound-\d{8}-\d{6}-\+12025550123(-\w+)?$/);
  });

  it('accepts one call of twenty requests that race with one key', async () => {
    const idempotency = { key: `race-${kind}`, bodyHash: 'a' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => ledger.accept(newOrder({ idempotency }))),
    );
    expect(answers.filter((answer) => answer.kind === 'accepted')).toHaveLength(1);
    const ids = answers.map((answer) => answer.kind !== 'key_taken' && answer.answer.callId);
    expect(new Set(ids).size).toBe(1);
    const other = { key: idempotency.key, bodyHash: 'b' };
    expect(await ledger.accept(newOrder({ idempotency: other }))).toEqual({ kind: 'key_taken' });
  });

  it('forgets a key after a day, and with it the number that it holds', async () => {
    const keyed = (key: string) => newOrder({ idempotency: { key, bodyHash: 'a' } });
    await ledger.accept(keyed('of yesterday'));
    await ledger.accept(keyed('of today'));
    const rows = new WorkspaceRows(db, 'default');
    const createdAt = new Date(Date.now() - 25 * 3_600_000);
    await rows.update(idempotencyKeys, { createdAt }, eq(idempotencyKeys.key, 'of yesterday'));
    await ledger.accept(keyed('another of today'));
    const keys = (await rows.select(idempotencyKeys)).map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining(['of today', 'another of today']));
    expect(keys).not.toContain('of yesterday');
  });

  it('applies the events of a call in whatever order they arrive, with one result', async () => {
    const results = new Set<string>();
    for (const order of permutations(life())) {
      const call = newCallId();
      await recordEvents(
        db,
        order.map((event, index) => ({ ...event, call, id: `${call}-${index}` })),
      );
      const { call: row } = (await ledger.find(call)) ?? {};
      const { id: _id, ...rest } = row ?? {};
      results.add(JSON.stringify(rest));
    }
    expect([...results]).toHaveLength(1);
    expect(JSON.parse([...results][0] ?? '')).toMatchObject({
      direction: 'inbound',
      status: 'ended',
      outcome: 'completed',
      turns: 2,
      sipCallId: 'SCL_1',
      from: NUMBER,
    });
  });

  it('applies an event once, within a batch, after it, and in two batches at once', async () => {
    const events = life();
    const doubled = [...events, ...events];
    const first = await recordEvents(db, doubled);
    expect(first).toHaveLength(events.length);
    const [second, third] = await Promise.all([recordEvents(db, events), recordEvents(db, events)]);
    expect([...second, ...third]).toEqual([]);
    const record = await ledger.find(events[0]?.call ?? '');
    expect(record?.turns.map(({ text }) => text)).toEqual(['Hello.', 'Hi.']);
    expect(record?.call.turns).toBe(2);
  });

  it('takes batches about the same new calls from several writers at once', async () => {
    const lives = Array.from({ length: 20 }, () => life());
    const slices = [0, 1, 2, 3, 4].map((step) => lives.flatMap((one) => one[step] ?? []));
    await Promise.all(
      slices.map(async (slice, index) =>
        recordEvents(db, index % 2 === 0 ? slice : slice.toReversed()),
      ),
    );
    for (const [first] of lives) {
      const record = await ledger.find(first?.call ?? '');
      expect(record?.call).toMatchObject({ status: 'ended', turns: 2, from: NUMBER });
    }
  });

  it('keeps the first end of a call', async () => {
    const [received, , , , ended] = life();
    const late = callEvent('call.ended', ended!.call, {
      outcome: 'failed',
      reason: 'The room is gone.',
      hungUpBy: 'system',
    });
    await recordEvents(db, [received!, ended!]);
    await recordEvents(db, [late]);
    const record = await ledger.find(ended!.call);
    expect(record?.call).toMatchObject({ outcome: 'completed', hungUpBy: 'caller' });
    expect(record?.timeline.map(({ type }) => type)).toContain('call.ended');
  });

  it('does not lose the events of a call that it does not know', async () => {
    const call = newCallId();
    await recordEvents(db, [
      callEvent('turn', call, { role: 'agent', text: 'x', interrupted: false }),
    ]);
    expect((await ledger.find(call))?.call).toMatchObject({ direction: 'inbound', turns: 1 });
    const dialled = newCallId();
    await recordEvents(db, [callEvent('call.dialing', dialled, { trunk: 't', attempt: 1 })]);
    expect((await ledger.find(dialled))?.call).toMatchObject({
      direction: 'outbound',
      status: 'dialing',
    });
    expect((await ledger.queuedOrders(undefined, 1000)).orders).not.toContainEqual(
      expect.objectContaining({ callId: dialled }),
    );
  });

  it('keeps numbers and what was said out of the timeline', async () => {
    const events = life();
    await recordEvents(db, events);
    const record = await ledger.find(events[0]!.call);
    expect(record?.timeline).toHaveLength(3);
    expect(JSON.stringify(record?.timeline)).not.toMatch(/\+1202|Hello/);
  });

  it('shows a workspace nothing of another', async () => {
    const other = new Ledger(db, 'other');
    const accepted = await ledger.accept(newOrder({ idempotency: { key: 'mine', bodyHash: 'a' } }));
    if (accepted.kind !== 'accepted') throw new Error('not accepted');
    expect(await other.find(accepted.answer.callId)).toBeUndefined();
    expect(await other.find(accepted.answer.publicId)).toBeUndefined();
    expect(await other.list({ limit: 10 })).toEqual([]);
    expect((await other.queuedOrders(undefined, 10)).orders).toEqual([]);
    expect(await other.countOpen()).toEqual([]);
    expect(await other.replay({ key: 'mine', bodyHash: 'a' })).toBeUndefined();
    const [event] = life(accepted.answer.callId);
    await recordEvents(db, [{ ...event!, workspace: 'other' }]);
    expect((await ledger.find(accepted.answer.callId))?.call.status).toBe('queued');
  });

  it('lists calls newest first, by filter, page by page without a gap', async () => {
    const before = Date.now() + 1000;
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      const events = life(newCallId(before + index));
      ids.unshift(events[0]!.call);
      await recordEvents(db, index % 2 === 0 ? events : events.slice(0, -1));
    }
    const first = await ledger.list({ limit: 4 });
    const second = await ledger.list({ limit: 3, before: first.at(-1)!.id as `call_${string}` });
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids);
    const ended = await ledger.list({ outcome: ['completed'], sipCallId: 'SCL_1', limit: 4 });
    expect(ended.map(({ id }) => id)).toEqual(ids.filter((_, index) => index % 2 === 0));
    expect(await ledger.list({ trunk: 'nothing', limit: 4 })).toEqual([]);
  });
});
