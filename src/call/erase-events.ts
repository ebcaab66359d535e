import type { Redis } from '../platform/redis.ts';
import type { CallId } from './call-id.ts';
import { EVENT_STREAM } from './event-stream.ts';
import { REJECTED_STREAM } from './ledger/stream-group.ts';
import { LIVE_STREAM } from './live/live-stream.ts';

const PAGE = 500;

/**
 * Holds nothing of the person, and must reach the ledger, which removes the file by it. (Within what somebody said
 * the quotes would be escaped.)
 */
const RECORDED = '"type":"call.recorded"';

/** Redis may be another machine, with a clock of its own; what is put aside is written later than it happened. */
const SLACK_MS = 3_600_000;

/**
 * Removes a call's entries from the streams that carry events: the ledger has them. Looks at those of the call's
 * time only, so that it need not read a stream's whole length.
 *
 * @param period when the first and the last of them were made
 */
export async function eraseEvents(
  redis: Redis,
  callId: CallId,
  period: { from: Date; to: Date },
): Promise<void> {
  const begin = String(Math.max(0, period.from.getTime() - SLACK_MS));
  const end = String(period.to.getTime() + SLACK_MS);
  await eraseEntries(redis, EVENT_STREAM, callId, begin, end);
  await eraseEntries(redis, LIVE_STREAM, callId, begin, end);
  await eraseEntries(redis, REJECTED_STREAM, callId, begin, '+');
}

async function eraseEntries(
  redis: Redis,
  stream: string,
  callId: CallId,
  begin: string,
  end: string,
): Promise<void> {
  for (let from = begin; ;) {
    const entries = await redis.xrange(stream, from, end, 'COUNT', PAGE);
    const ids = entries.filter(([, fields]) => isAbout(fields, callId)).map(([id]) => id);
    if (ids.length > 0) await redis.xdel(stream, ...ids);
    const last = entries.at(-1);
    if (!last || entries.length < PAGE) return;
    from = `(${last[0]}`;
  }
}

/** Ids are opaque and long: what holds one is about that call, also where it is not JSON. */
function isAbout(fields: readonly string[], callId: CallId): boolean {
  return fields.some((field) => field.includes(callId) && !field.includes(RECORDED));
}
