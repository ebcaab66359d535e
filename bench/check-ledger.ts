import type { CallId } from '../src/call/call-id.ts';
import type { Ledger } from '../src/call/ledger/ledger.ts';

const PAGE = 500;

export type LedgerCheck = {
  calls: number;
  /** Accepted calls that are not on record: must be 0. */
  missing: number;
  /** Calls on record whose timeline does not begin with one `call.queued`: must be 0. */
  withoutEvent: number;
};

/** Compares what was answered with what is on record. */
export async function checkLedger(
  ledger: Ledger,
  accepted: readonly string[],
): Promise<LedgerCheck> {
  const missing = new Set(accepted);
  let calls = 0;
  let withoutEvent = 0;
  for (let after: CallId | undefined; ;) {
    const rows = await ledger.list({ order: 'asc', limit: PAGE, after });
    for (const { call, timeline } of await ledger.recordsOf(rows)) {
      missing.delete(call.id);
      const queued = timeline.filter(({ type }) => type === 'call.queued');
      if (queued.length !== 1) withoutEvent += 1;
    }
    calls += rows.length;
    after = rows.at(-1)?.id as CallId | undefined;
    if (rows.length < PAGE) return { calls, missing: missing.size, withoutEvent };
  }
}
