import { redisNow, type Redis } from '../../platform/redis.ts';
import type { LiveBody } from './live-event.ts';

/** The short stream of what goes on now. It holds what is being said, so it is kept short in time, too. */
export const LIVE_STREAM = 'trunkline:live-events';

/** Some 6 MB. */
export const LIVE_LENGTH = 20_000;

/** Nobody resumes after longer; whoever lets entries live on keeps what should be forgotten. */
const LIVE_AGE_MS = 3_600_000;

/** An entry's place in the stream; also what a client resumes by. */
export type LivePlace = string;

export const NOWHERE: LivePlace = '0-0';

export type LiveEntry = { id: LivePlace; body: string };

export function isLivePlace(text: string): boolean {
  return /^\d{1,15}-\d{1,15}$/.test(text);
}

/** Whether the first of two places is the later one. */
export function isAfter(one: LivePlace, other: LivePlace): boolean {
  const [ms = 0, sequence = 0] = one.split('-').map(Number);
  const [otherMs = 0, otherSequence = 0] = other.split('-').map(Number);
  return ms > otherMs || (ms === otherMs && sequence > otherSequence);
}

/** The fields of an entry. The id of the call stands apart, so that it is found without reading the text. */
export function liveFields(body: LiveBody): string[] {
  return ['call', 'call' in body ? body.call : '', 'body', JSON.stringify(body)];
}

/** Entries after a place, at most so many, and none beyond `until`. */
export async function readLive(
  redis: Redis,
  after: LivePlace,
  until: LivePlace,
  count: number,
): Promise<LiveEntry[]> {
  const entries = await redis.xrange(LIVE_STREAM, `(${after}`, until, 'COUNT', count);
  return liveEntriesOf(entries);
}

/** Entries that Redis gave; those of an unknown form are left out. */
export function liveEntriesOf(entries: readonly [id: string, fields: string[]][]): LiveEntry[] {
  return entries.flatMap(([id, fields]) => {
    const body = fields[fields.indexOf('body') + 1];
    return body?.startsWith('{') === true ? [{ id, body }] : [];
  });
}

type StreamFacts = { last: LivePlace; removed: LivePlace; added: number; length: number };

/** The place of the newest entry that ever was, or `0-0`. */
export async function lastLivePlace(redis: Redis): Promise<LivePlace> {
  return (await factsOf(redis)).last;
}

/**
 * Whether everything after a place is still there. It is not where a later entry was removed, or where the place
 * is none of this stream: then Redis was emptied, or the client talked to another system.
 */
export async function isKept(redis: Redis, place: LivePlace): Promise<boolean> {
  const [{ removed, added, length }, outdated, [own]] = await Promise.all([
    factsOf(redis),
    redis.get(OUTDATED),
    redis.xrange(LIVE_STREAM, place, place),
  ]);
  if (place === NOWHERE) return added === length;
  const newestGone = outdated !== null && isAfter(outdated, removed) ? outdated : removed;
  return place === newestGone || (own !== undefined && !isAfter(newestGone, place));
}

/** The newest entry that was removed for its age: Redis itself remembers only what was deleted one by one. */
const OUTDATED = 'trunkline:live-events:outdated';

const TRIM = `
local doomed = redis.call('XREVRANGE', KEYS[1], ARGV[1] - 1, '-', 'COUNT', 1)
if doomed[1] then
  redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1])
  redis.call('SET', KEYS[2], doomed[1][1])
end`;

/** Removes what is older than anybody resumes by, also where nothing new comes. */
export async function trimLive(redis: Redis, ageMs = LIVE_AGE_MS): Promise<void> {
  await redis.eval(TRIM, 2, LIVE_STREAM, OUTDATED, (await redisNow(redis)) - ageMs);
}

async function factsOf(redis: Redis): Promise<StreamFacts> {
  const flat = await redis.xinfo('STREAM', LIVE_STREAM).catch((thrown: unknown) => {
    if (thrown instanceof Error && thrown.message.includes('no such key')) return [];
    throw thrown;
  });
  const facts = flat as unknown[];
  const valueOf = (name: string): unknown =>
    facts.includes(name) ? facts[facts.indexOf(name) + 1] : undefined;
  const placeOf = (name: string): LivePlace => {
    const value = valueOf(name);
    return typeof value === 'string' ? value : NOWHERE;
  };
  return {
    last: placeOf('last-generated-id'),
    removed: placeOf('max-deleted-entry-id'),
    added: Number(valueOf('entries-added') ?? 0),
    length: Number(valueOf('length') ?? 0),
  };
}
