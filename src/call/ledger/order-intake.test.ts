import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenDatabase } from '../../platform/database.ts';
import { WorkspaceRows } from '../../platform/workspace-rows.ts';
import type { AcceptedCall, KeyedOrder } from './accept-order.ts';
import { Ledger } from './ledger.ts';
import { OrderIntake } from './order-intake.ts';
import { databaseMaker, type DatabaseMaker } from './testing.ts';

function anOrder(key: string | undefined, body = 'a', metadata = {}): KeyedOrder {
  return {
    order: {
      workspace: 'default',
      to: '+12025550123',
      personality: 'receptionist',
      variables: {},
      metadata,
      acceptedAt: Date.now(),
    },
    callbackUrl: 'https://example.com/ended',
    simulated: true,
    expected: { trunk: 'simulator', from: undefined },
    message: 'The call is queued.',
    idempotency: key === undefined ? undefined : { key, bodyHash: body },
  };
}

describe.each(['embedded', 'postgres'] as const)('orders on the %s database', (kind) => {
  let maker: DatabaseMaker;
  let database: OpenDatabase;
  let rows: WorkspaceRows;
  let ledger: Ledger;
  let told: AcceptedCall[][] = [];

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    database = await maker.open();
    rows = new WorkspaceRows(database.db, 'default');
    ledger = new Ledger(database.db, 'default');
  });
  afterAll(async () => maker.remove());

  const intake = () => {
    told = [];
    return new OrderIntake(rows, async (_rows, accepted) => void told.push([...accepted]));
  };
  const count = async () => (await ledger.list({ limit: 10_000 })).length;

  it('share a transaction where they come together, each with its call and its event', async () => {
    const before = await count();
    const taken = intake();
    const accepted = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => taken.accept(anOrder(`together-${index}`))),
    );
    expect(new Set(accepted.map(({ kind }) => kind))).toEqual(new Set(['accepted']));
    expect(await count()).toBe(before + 30);
    expect(told.length).toBeLessThan(30);
    const calls = told.flat();
    expect(calls).toHaveLength(30);
    for (const { call, eventId, at } of calls) {
      const record = await ledger.find(call.id);
      expect(record?.call).toEqual(call);
      expect(record?.call.request?.callbackUrl).toBe('https://example.com/ended');
      expect(record?.timeline).toMatchObject([{ id: eventId, type: 'call.queued', at }]);
    }
  });

  it('of one key in one transaction are one call; with another body the key is taken', async () => {
    const taken = intake();
    const accepted = await Promise.all([
      taken.accept(anOrder(undefined)),
      ...['a', 'a', 'b', 'a'].map(async (body) => taken.accept(anOrder('one-key', body))),
    ]);
    expect(accepted.map(({ kind }) => kind)).toEqual([
      'accepted',
      'accepted',
      'replayed',
      'key_taken',
      'replayed',
    ]);
    expect(accepted[2]).toMatchObject({ answer: answerIn(accepted[1]) });
    expect(told.flat()).toHaveLength(2);
  });

  it('of which one cannot be written fail no other', async () => {
    const before = await count();
    const taken = intake();
    const results = await Promise.allSettled([
      taken.accept(anOrder('good-1')),
      taken.accept(anOrder('bad', 'a', { text: '\u0000' })),
      taken.accept(anOrder('good-2')),
      taken.accept(anOrder('good-1')),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(await count()).toBe(before + 2);
    expect(await taken.accept(anOrder('bad'))).toMatchObject({ kind: 'accepted' });
  });

  it('are written with what is written alongside, or not at all', async () => {
    const before = await count();
    const failing = new OrderIntake(rows, async () => {
      throw new Error('alongside');
    });
    await expect(failing.accept(anOrder('never'))).rejects.toThrow('alongside');
    expect(await count()).toBe(before);
    expect(await ledger.replay({ key: 'never', bodyHash: 'a' })).toBeUndefined();
  });

  it('that race over two apis with the same keys in different order are accepted once', async () => {
    const before = await count();
    const keys = Array.from({ length: 40 }, (_, index) => `race-${index}`);
    const [one, two] = [intake(), new OrderIntake(rows, async () => undefined)];
    const answers = await Promise.all([
      ...keys.map(async (key) => one.accept(anOrder(key))),
      ...keys.toReversed().map(async (key) => two.accept(anOrder(key))),
    ]);
    expect(answers.filter(({ kind }) => kind === 'accepted')).toHaveLength(40);
    expect(answers.filter(({ kind }) => kind === 'replayed')).toHaveLength(40);
    expect(await count()).toBe(before + 40);
  });

  it('of a batch are written together, and answered again as they were', async () => {
    const taken = intake();
    const idempotency = { key: 'batch', bodyHash: 'h' };
    const problem = { status: 400, title: 'no' };
    const items = [anOrder(undefined), { problem }, anOrder(undefined)];
    const racing = await Promise.all([
      taken.acceptBatch({ items, idempotency }),
      taken.acceptBatch({ items, idempotency }),
    ]);
    expect(racing.map(({ kind }) => kind).toSorted()).toEqual(['accepted', 'replayed']);
    expect(answersIn(racing[0])).toEqual(answersIn(racing[1]));
    expect(answersIn(racing[0])).toMatchObject([{ publicId: expect.any(String) }, { problem }, {}]);
    expect(await ledger.replayBatch(idempotency)).toMatchObject({ kind: 'replayed' });
    expect(await ledger.replayBatch({ ...idempotency, bodyHash: 'i' })).toEqual({
      kind: 'key_taken',
    });
    expect(await taken.accept(anOrder('batch', 'h'))).toEqual({ kind: 'key_taken' });
    expect(told.flat()).toHaveLength(2);
  });

  it('of a batch of which one cannot be written are not written at all', async () => {
    const before = await count();
    const items = [anOrder(undefined), anOrder(undefined, 'a', { text: '\u0000' })];
    const idempotency = { key: 'bad-batch', bodyHash: 'h' };
    await expect(intake().acceptBatch({ items, idempotency })).rejects.toThrow();
    expect(await count()).toBe(before);
    expect(await ledger.replayBatch(idempotency)).toBeUndefined();
  });
});

function answerIn(acceptance: unknown): unknown {
  return (acceptance as { answer?: unknown }).answer;
}

function answersIn(acceptance: unknown): unknown {
  return (acceptance as { answers?: unknown }).answers;
}
