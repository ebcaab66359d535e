import type { Redis } from '../platform/redis.ts';
import { ATTENDANCE } from './attendance.ts';
import {
  callEvent,
  callEventSchema,
  type CallEvent,
  type CallEventOf,
  type CallEventType,
} from './call-event.ts';
import { LIVE_LENGTH, LIVE_STREAM, liveFields } from './live/live-stream.ts';
import { asState, liveViewOf, type CallFacts } from './live/live-view.ts';

/** The one stream through which all changes of all calls go to the ledger. */
export const EVENT_STREAM = 'trunkline:events';

/** The oldest entries go beyond this many, whether the ledger has them or not: it reads far faster than calls happen. */
const STREAM_LENGTH = 100_000;

/** Writes call events to the stream. */
export class EventPublisher {
  readonly #redis: Redis;
  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /**
   * Resolves when Redis has the event.
   *
   * @param facts of the call, for whoever watches: they go into no record
   */
  async publish<T extends CallEventType>(
    type: T,
    call: CallEvent['call'],
    data: CallEventOf<T>['data'],
    facts?: CallFacts,
  ): Promise<void> {
    await this.send(callEvent(type, call, data), facts);
  }

  /**
   * The same for an event that is made already.
   *
   * @param agent only while no other agent attends the call (`attendance.ts`): one that was cut off, and whose
   *   commands come late, must not speak for the one that went on
   * @returns whether the event was written
   */
  async send(event: CallEvent, facts?: CallFacts, agent = ''): Promise<boolean> {
    const view = liveViewOf(event, facts);
    const head = [
      PUBLISH,
      3,
      EVENT_STREAM,
      LIVE_STREAM,
      ATTENDANCE,
      STREAM_LENGTH,
      JSON.stringify(event),
      event.call,
      agent,
    ] as const;
    if (!view) return (await this.#redis.eval(...head)) !== null;
    const [, call = '', , body = ''] = liveFields(view);
    const isOnce = view.type === 'call_started' || view.type === 'call_ended';
    const written = await this.#redis.eval(
      ...head,
      LIVE_LENGTH,
      call,
      body,
      isOnce ? `trunkline:live-once:${view.type}:${call}` : '',
      view.type === 'call_started' ? JSON.stringify(asState(view)) : '',
    );
    return written !== null;
  }
}

/**
 * Writes the event, and what whoever watches sees of it, in one command: one trip, and repeated as a whole where the
 * connection breaks. The second stream may fail without harm to the first. A call starts and ends once for whoever
 * watches, whatever is published twice; a second start becomes a change.
 */
const PUBLISH = `
if ARGV[4] ~= '' then
  local text = redis.call('HGET', KEYS[3], ARGV[3])
  if text and cjson.decode(text).agent ~= ARGV[4] then return false end
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[2])
if ARGV[5] then
  local body = ARGV[7]
  if ARGV[8] ~= '' and not redis.pcall('SET', ARGV[8], '1', 'NX', 'EX', 3600) then
    body = ARGV[9]
  end
  if body ~= '' then
    redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'call', ARGV[6], 'body', body)
  end
end
return id`;

/**
 * The event of one stream entry.
 * @throws ZodError where it is not one that this version knows.
 */
export function parseStreamEntry(fields: readonly string[]): CallEvent {
  const index = fields.indexOf('event');
  return callEventSchema.parse(JSON.parse(fields[index + 1] ?? 'null'));
}
