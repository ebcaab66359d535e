import { stringify } from 'csv-stringify/sync';
import type { CallFilter } from '../call/ledger/call-filter.ts';
import type { CallId } from '../call/call-id.ts';
import type { Ledger } from '../call/ledger/ledger.ts';
import type { CallRow } from '../call/ledger/schema.ts';
import { withoutValues } from '../platform/database-failure.ts';
import { viewCall, viewCallDetail, viewDurations } from './call-view.ts';

export const exportFormats = ['jsonl', 'csv'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Calls that are in memory at a time; those of JSONL come with their turns. */
const PAGE = { jsonl: 50, csv: 500 } as const satisfies Record<ExportFormat, number>;

/**
 * The calls that the filter means, the oldest first, as the pieces of one long text. Each piece is one page of
 * the ledger, read when it is wanted: no transaction stays open, and whoever stops asking ends it.
 *
 * @throws what the database throws, without the values of the query
 */
export async function* exportCalls(
  ledger: Ledger,
  filter: CallFilter,
  format: ExportFormat,
): AsyncGenerator<string, void, undefined> {
  const limit = PAGE[format];
  try {
    if (format === 'csv') yield csv([columns]);
    let after: CallId | undefined;
    for (;;) {
      const calls = await ledger.list({ ...filter, order: 'asc', after, limit });
      if (calls.length > 0) yield await piece(ledger, calls, format);
      if (calls.length < limit) return;
      after = calls.at(-1)?.id as CallId | undefined;
    }
  } catch (thrown) {
    // Fastify logs what breaks a stream off, and the filter may be a number.
    throw withoutValues(thrown);
  }
}

async function piece(
  ledger: Ledger,
  calls: readonly CallRow[],
  format: ExportFormat,
): Promise<string> {
  switch (format) {
    case 'csv':
      return csv(calls.map((call) => columns.map((column) => cellsOf(call)[column])));
    case 'jsonl': {
      const records = await ledger.recordsOf(calls);
      return records.map((record) => `${JSON.stringify(viewCallDetail(record))}\n`).join('');
    }
  }
}

const columns = [
  'id',
  'call_id',
  'direction',
  'status',
  'outcome',
  'reason',
  'hung_up_by',
  'sip_status',
  'sip_call_id',
  'trunk',
  'personality',
  'simulated',
  'from',
  'to',
  'turns',
  'started_at',
  'dialed_at',
  'ringing_at',
  'answered_at',
  'ended_at',
  'erased_at',
  'ring_ms',
  'talk_ms',
  'variables',
  'metadata',
] as const;

function cellsOf(call: CallRow): Record<(typeof columns)[number], string | number | null> {
  const view = viewCall(call);
  return {
    ...view,
    simulated: String(view.simulated),
    dialed_at: call.dialedAt?.toISOString() ?? null,
    ringing_at: call.ringingAt?.toISOString() ?? null,
    ...viewDurations(call),
    variables: JSON.stringify(call.variables ?? {}),
    metadata: JSON.stringify(call.metadata ?? {}),
  };
}

/** RFC 4180. */
function csv(rows: readonly (readonly (string | number | null)[])[]): string {
  return stringify([...rows], { record_delimiter: '\r\n', cast: { string: harmless } });
}

/**
 * A cell that no spreadsheet takes for a formula: an apostrophe goes before one that begins like it
 * (https://owasp.org/www-community/attacks/CSV_Injection). A telephone number in E.164 stays what it is: a plus and
 * digits can do nothing, and whoever reads the file by machine needs it.
 */
function harmless(cell: string): string {
  if (/^\+\d+$/.test(cell)) return cell;
  return /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(cell) ? `'${cell}` : cell;
}
