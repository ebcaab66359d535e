import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenDatabase } from '../../platform/database.ts';
import { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { callEvent } from '../call-event.ts';
import { Ledger } from './ledger.ts';
import { oldestDue } from './oldest-due.ts';
import { recordEvents } from './record-events.ts';
import { databaseMaker, type DatabaseMaker } from './testing.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');

describe.each(['embedded', 'postgres'] as const)('the oldest due order (%s)', (kind) => {
  let maker: DatabaseMaker;
  let database: OpenDatabase;
  beforeAll(async () => {
    maker = await databaseMaker(kind);
    database = await maker.open();
  });
  afterAll(async () => maker.remove());

  const accept = async (acceptedAt: number, notBefore?: number) => {
    const acceptance = await new Ledger(database.db, 'default').accept({
      order: {
        workspace: 'default',
        to: '+12025550123',
        personality: 'receptionist',
        variables: {},
        metadata: {},
        acceptedAt,
        ...(notBefore === undefined ? {} : { notBefore }),
      },
      simulated: true,
      expected: { trunk: 'simulator', from: undefined },
      message: 'The call is queued.',
      idempotency: undefined,
    });
    if (acceptance.kind !== 'accepted') throw new Error('the order was not accepted');
    return acceptance.order.callId;
  };

  it('counts from when a call could have been dialled, and forgets it when it is', async () => {
    const rows = new WorkspaceRows(database.db, 'default');
    expect(await oldestDue(rows, NOW)).toBeUndefined();
    await accept(NOW - 600_000, NOW + 3_600_000);
    expect(await oldestDue(rows, NOW)).toBeUndefined();
    await accept(NOW - 600_000, NOW - 90_000);
    expect(await oldestDue(rows, NOW)).toBe(NOW - 90_000);
    const waiting = await accept(NOW - 120_000);
    expect(await oldestDue(rows, NOW)).toBe(NOW - 120_000);
    expect(await oldestDue(new WorkspaceRows(database.db, 'other'), NOW)).toBeUndefined();
    await recordEvents(database.db, [
      callEvent('call.dialing', waiting, { trunk: 'simulator', attempt: 1 }),
    ]);
    expect(await oldestDue(rows, NOW)).toBe(NOW - 90_000);
  });
});
