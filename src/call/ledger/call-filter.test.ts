import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callEvent } from '../call-event.ts';
import { newCallId, type CallId } from '../call-id.ts';
import type { CallFilter } from './call-filter.ts';
import { Ledger } from './ledger.ts';
import { recordEvents } from './record-events.ts';
import { databaseMaker, writeCall, type DatabaseMaker } from './testing.ts';
import type { Database } from '../../platform/database.ts';

const ADA = '+12025550123';
const BOB = '+12025550124';
const OURS = '+12025550110';
const NOON = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;

describe.each(['embedded', 'postgres'] as const)('calls in the %s database', (kind) => {
  let maker: DatabaseMaker;
  let db: Database;
  let ledger: Ledger;

  beforeAll(async () => {
    maker = await databaseMaker(kind);
    ({ db } = await maker.open());
    ledger = new Ledger(db, 'default');
  });
  afterAll(async () => maker.remove());

  const ordered = async (
    to: string,
    at: number,
    metadata: Record<string, unknown> = {},
    personality = 'reminder',
  ): Promise<CallId> => {
    return writeCall(db, {
      startedAt: new Date(at),
      publicId: `outbound-${randomUUID()}`,
      to,
      from: OURS,
      trunk: 'carrier',
      personality,
      metadata,
    });
  };
  const arrived = async (from: string, at: number): Promise<CallId> => {
    const call = newCallId(at);
    const event = callEvent('call.received', call, {
      from,
      to: OURS,
      trunk: 'simulator',
      personality: 'receptionist',
      simulated: true,
      sipCallId: `SCL_${call}`,
    });
    await recordEvents(db, [{ ...event, at: at + 20 }]);
    return call;
  };
  const end = async (call: CallId, outcome: 'completed' | 'busy' | 'failed') => {
    const data = { outcome, reason: 'x', hungUpBy: 'system' } as const;
    await recordEvents(db, [callEvent('call.ended', call, data)]);
  };
  const found = async (filter: CallFilter): Promise<string[]> =>
    (await ledger.list({ ...filter, order: 'asc', limit: 1000 })).map(({ id }) => id);

  describe('are found', () => {
    let toAda: CallId;
    let toBob: CallId;
    let fromAda: CallId;
    let later: CallId;

    beforeAll(async () => {
      toAda = await ordered(ADA, NOON, { crm_id: 4711, vip: true, tag: 'a', note: null });
      toBob = await ordered(BOB, NOON + HOUR, { crm_id: '4711', vip: 'true' }, 'survey');
      fromAda = await arrived(ADA, NOON + 2 * HOUR);
      later = await ordered(ADA, NOON + 3 * HOUR, { crm: { id: 4711 } });
      await end(toAda, 'completed');
      await end(toBob, 'busy');
    });

    it('by number, on either side or on one', async () => {
      expect(await found({ number: ADA })).toEqual([toAda, fromAda, later]);
      expect(await found({ to: ADA })).toEqual([toAda, later]);
      expect(await found({ from: ADA })).toEqual([fromAda]);
      expect(await found({ number: ADA.slice(0, -1) })).toEqual([]);
    });

    it('by direction, personality, trunk, simulator and SIP Call-ID', async () => {
      expect(await found({ direction: 'inbound' })).toEqual([fromAda]);
      expect(await found({ personality: 'survey' })).toEqual([toBob]);
      expect(await found({ trunk: 'carrier' })).toEqual([toAda, toBob, later]);
      expect(await found({ simulated: true })).toEqual([fromAda]);
      expect(await found({ simulated: false, personality: 'reminder' })).toEqual([toAda, later]);
      expect(await found({ sipCallId: `SCL_${fromAda}` })).toEqual([fromAda]);
    });

    it('by one of several outcomes and statuses', async () => {
      expect(await found({ outcome: ['completed', 'busy'] })).toEqual([toAda, toBob]);
      expect(await found({ outcome: ['failed'] })).toEqual([]);
      expect(await found({ status: ['queued', 'ringing'] })).toEqual([fromAda, later]);
    });

    it('by a period, with its beginning and without its end', async () => {
      const at = (hours: number) => new Date(NOON + hours * HOUR);
      expect(await found({ since: at(0), until: at(1) })).toEqual([toAda]);
      expect(await found({ since: at(1), until: at(3) })).toEqual([toBob, fromAda]);
      expect(await found({ since: at(3) })).toEqual([later]);
      expect(await found({ until: at(0) })).toEqual([]);
      expect(await found({ since: new Date(0), until: new Date(8.64e15 / 100) })).toHaveLength(4);
    });

    it('by metadata, whose values are texts, numbers or truth values', async () => {
      expect(await found({ metadata: { crm_id: '4711' } })).toEqual([toAda, toBob]);
      expect(await found({ metadata: { crm_id: '4711.0' } })).toEqual([toAda]);
      expect(await found({ metadata: { vip: 'true' } })).toEqual([toAda, toBob]);
      expect(await found({ metadata: { crm_id: '4711', tag: 'a' } })).toEqual([toAda]);
      expect(await found({ metadata: { note: 'null' } })).toEqual([toAda]);
      expect(await found({ metadata: { crm_id: '47' } })).toEqual([]);
      const strange = ['{"id":4711}', '"; drop table calls; --', '1e999', '\\', '', '%', '[', '-0'];
      for (const value of strange) expect(await found({ metadata: { crm: value } })).toEqual([]);
      expect(await found({ metadata: { "'": '1' } })).toEqual([]);
    });
  });

  it('are read page by page without gap or double, while others are written', async () => {
    const start = NOON + 24 * HOUR;
    const period = { since: new Date(start), until: new Date(start + HOUR) };
    const before: CallId[] = [];
    // Several of one millisecond.
    for (let index = 0; index < 60; index += 1) {
      before.push(await ordered(ADA, start + Math.floor(index / 10)));
    }
    for (const order of ['asc', 'desc'] as const) {
      const seen: string[] = [];
      let cursor: CallId | undefined;
      for (;;) {
        const page = await ledger.list({
          ...period,
          order,
          ...(order === 'asc' ? { after: cursor } : { before: cursor }),
          limit: 7,
        });
        seen.push(...page.map(({ id }) => id));
        cursor = page.at(-1)?.id as CallId | undefined;
        if (page.length < 7) break;
        // One is new, and one comes late with an older id.
        await Promise.all([arrived(BOB, start + 1000), arrived(BOB, start + 3)]);
      }
      expect(seen).toEqual(order === 'asc' ? seen.toSorted() : seen.toSorted().toReversed());
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining(before));
    }
  });
});
