import { z } from 'zod';
import type { Redis } from '../platform/redis.ts';
import { answeredEventSchema, callUsageSchema, turnEventSchema } from './call-event.ts';
import type { CallId } from './call-id.ts';

/**
 * The conversation so far, in Redis, for an agent that goes on with a call whose agent was lost. Written by
 * `MemoryWriter` while the conversation happens, and gone with the call (`leaveLiveCall`):
 *
 *     trunkline:memory:<call>         hash   what holds now, one field each
 *     trunkline:memory:<call>:items   list   what happened, in order
 *
 * It holds what was said, and is erased with the person's data.
 */
export const memoryKey = (call: CallId) => `trunkline:memory:${call}`;
export const memoryItemsKey = (call: CallId) => `${memoryKey(call)}:items`;

/** Longer than any call lasts (4 h by an order): a call that nobody ends is forgotten all the same. */
export const MEMORY_S = 6 * 3600;

/** What the model is told again of a long call, and so all that is kept of it. */
export const MOST_ITEMS = 200;

/** What a call began with; whoever takes it over goes on with the same. */
const factsSchema = z.object({
  direction: z.enum(['inbound', 'outbound']),
  trunk: z.string(),
  /** Identity of the far end's participant. */
  phone: z.string(),
  personality: z.string(),
  /** Of the personality, see `pinned-personality.ts`. */
  hash: z.string(),
  /** Filled in for this call. */
  instructions: z.string(),
  greeting: z.string().optional(),
  maxDurationMs: z.number(),
});
export type MemoryFacts = z.infer<typeof factsSchema>;

/** An agent's sentence under way. */
const sayingSchema = z.object({
  text: z.string(),
  /** `text` is all of it: nothing more comes from the model. */
  whole: z.boolean(),
  /** As much of it as the far end has heard. */
  heard: z.string(),
});
export type Saying = z.infer<typeof sayingSchema>;

const itemSchema = z.discriminatedUnion('kind', [
  /** What goes on record; until `told` says so, it may not have got there. */
  z.object({
    kind: z.literal('event'),
    event: z.discriminatedUnion('type', [answeredEventSchema, turnEventSchema]),
    /** Milliseconds since the epoch; where a message has its place among the calls of tools. */
    at: z.number(),
  }),
  z.object({
    kind: z.literal('tool'),
    id: z.string(),
    name: z.string(),
    /** JSON. */
    args: z.string(),
    /** What a vendor wants back with the call. */
    extra: z.record(z.string(), z.unknown()).optional(),
    at: z.number(),
  }),
  z.object({
    kind: z.literal('tool_result'),
    id: z.string(),
    name: z.string(),
    output: z.string(),
    isError: z.boolean(),
    at: z.number(),
  }),
]);
export type MemoryItem = z.infer<typeof itemSchema>;

const stateSchema = z.object({
  facts: factsSchema,
  /** The far end rang, and the ledger was told. */
  rung: z.boolean().default(false),
  /** When the call was answered: ms since the epoch, by the clock of Redis. */
  answeredAt: z.number().optional(),
  saying: sayingSchema.nullable().default(null),
  /** What the caller has said of a turn that is not over. */
  hearing: z.string().default(''),
  usage: z.array(callUsageSchema).default([]),
  /** Id of the last event among the items that is on its way to the ledger. */
  told: z.string().optional(),
});
export type MemoryState = z.infer<typeof stateSchema>;

export type Recalled = MemoryState & {
  items: MemoryItem[];
  /** When this was read: ms since the epoch, by the clock of Redis. */
  now: number;
};

/** The conversation of a call; undefined where none has begun, or the call is over. */
export async function recallConversation(
  redis: Redis,
  call: CallId,
): Promise<Recalled | undefined> {
  const [texts, items, now] = (await redis.eval(
    RECALL,
    2,
    memoryKey(call),
    memoryItemsKey(call),
  )) as [string[], string[], number];
  const fields: [string, unknown][] = [];
  for (let at = 0; at + 1 < texts.length; at += 2) {
    fields.push([texts[at] ?? '', JSON.parse(texts[at + 1] ?? 'null')]);
  }
  if (!fields.some(([name]) => name === 'facts')) return undefined;
  return {
    ...stateSchema.parse(Object.fromEntries(fields)),
    items: items.map((text) => itemSchema.parse(JSON.parse(text))),
    now,
  };
}

/** Idempotent. */
export async function forgetConversation(redis: Redis, call: CallId): Promise<void> {
  await redis.del(memoryKey(call), memoryItemsKey(call));
}

const RECALL = `
local time = redis.call('TIME')
return {
  redis.call('HGETALL', KEYS[1]),
  redis.call('LRANGE', KEYS[2], 0, -1),
  time[1] * 1000 + math.floor(time[2] / 1000)
}`;
