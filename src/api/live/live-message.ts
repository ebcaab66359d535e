import { z } from 'zod';
import {
  fleetBodySchema,
  LIVE_VERSION,
  liveBodySchema,
  liveTypes,
  trunkBodySchema,
  type LiveBody,
} from '../../call/live/live-event.ts';
import type { LiveEntry, LivePlace } from '../../call/live/live-stream.ts';
import { liveCallSchema } from './live-board.ts';

const place = z.string().describe('resume after it by `last_event_id`');
const head = { id: place, version: z.literal(LIVE_VERSION) };
const at = z.iso.datetime();

/** Everything that a client may be sent. */
export const liveMessageSchema = z
  .union([
    z
      .object({
        ...head,
        type: z.literal('hello'),
        at,
        calls: z.array(liveCallSchema).describe('those that go on now'),
        trunks: z.array(trunkBodySchema.omit({ type: true, at: true })),
        fleet: fleetBodySchema.omit({ type: true, at: true }),
      })
      .describe('how everything is: first, where the client did not resume, and after a gap'),
    z
      .object({ ...head, type: z.literal('gap'), at, detail: z.string() })
      .describe('what came after `last_event_id` is not kept any more; a hello follows'),
    z
      .object({
        ...head,
        type: z.literal('heartbeat'),
        at,
        current: z.boolean().describe('false: Redis is away; what happens meanwhile comes later'),
      })
      .describe('every 15 s; moves the place on where a filter lets little through'),
    ...liveBodySchema.options.map((body) => body.extend(head)),
  ])
  .describe('one message; `type` tells which');

/** What a client may leave out. */
type Kind = { type: string; call: string | undefined };

/** One message, made once for all its receivers. */
export class LiveMessage {
  readonly id: LivePlace;
  readonly kind: Kind;
  /** JSON, for a WebSocket. */
  readonly json: Buffer;
  /** The same as a block of the event stream format (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
  readonly block: Buffer;

  constructor(id: LivePlace, kind: Kind, json: string) {
    this.id = id;
    this.kind = kind;
    this.json = Buffer.from(json);
    this.block = Buffer.from(`id: ${id}\nevent: ${kind.type}\ndata: ${json}\n\n`);
  }

  /** A message of the api itself, at a place in the stream. */
  static of(id: LivePlace, type: 'hello' | 'gap' | 'heartbeat', more: object): LiveMessage {
    const text = { id, version: LIVE_VERSION, type, at: new Date().toISOString(), ...more };
    return new LiveMessage(id, { type, call: undefined }, JSON.stringify(text));
  }
}

/** What an entry of the stream says, and the message of it; undefined where it is of another version. */
export function parseLiveEntry(
  entry: LiveEntry,
): { body: LiveBody; message: LiveMessage } | undefined {
  const body = parse(entry.body);
  if (!body) return undefined;
  const text = `{"id":"${entry.id}","version":${LIVE_VERSION},${entry.body.slice(1)}`;
  const call = 'call' in body ? body.call : undefined;
  return { body, message: new LiveMessage(entry.id, { type: body.type, call }, text) };
}

function parse(text: string): LiveBody | undefined {
  try {
    return liveBodySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What a client wants to see. */
export type LiveFilter = {
  types: ReadonlySet<string> | undefined;
  calls: ReadonlySet<string> | undefined;
};

const ANY_TYPE: ReadonlySet<string> = new Set(liveTypes);

export function lets(filter: LiveFilter, { kind }: LiveMessage): boolean {
  if (!ANY_TYPE.has(kind.type)) return true;
  if (filter.types && !filter.types.has(kind.type)) return false;
  return !filter.calls || (kind.call !== undefined && filter.calls.has(kind.call));
}
