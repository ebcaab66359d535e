import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import { ATTENDANCE } from './attendance.ts';
import type { CallEventOf, CallUsage } from './call-event.ts';
import type { CallId } from './call-id.ts';
import {
  MEMORY_S,
  memoryItemsKey,
  memoryKey,
  MOST_ITEMS,
  type MemoryFacts,
  type MemoryItem,
  type MemoryState,
} from './conversation-memory.ts';

/** Words while they are spoken, and amounts, are written at most this often. */
const OFTEN_MS = 300;

/** Stands for the time by the clock of Redis; no JSON, as the values of all fields are. */
const NOW = '@now';

/**
 * Writes the conversation of one call into its memory while it happens. Returns at once, and never fails: one
 * command is under way at a time, and what changes meanwhile goes into the next. While Redis is away the newest
 * state waits, and of what happened the last `MOST_ITEMS`; nothing else grows.
 */
export class MemoryWriter {
  readonly #redis: Redis;
  readonly #call: CallId;
  readonly #log: Log;
  readonly #agent: string;
  #begins: boolean;
  #fields = new Map<string, string>();
  #items: MemoryItem[] = [];
  #saying = { text: '', whole: false, heard: '' };
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  /**
   * @param options.agent that attends the call: when another one does, nothing of this one is written
   * @param options.facts of a call that begins; absent: its memory is there already
   */
  constructor(options: {
    redis: Redis;
    call: CallId;
    log: Log;
    agent?: string | undefined;
    facts?: MemoryFacts | undefined;
  }) {
    this.#redis = options.redis;
    this.#call = options.call;
    this.#log = options.log;
    this.#agent = options.agent ?? '';
    this.#begins = options.facts !== undefined;
    if (options.facts) this.#set('facts', options.facts);
  }

  /** Something that goes on record; to be called before it is sent there. */
  event(event: CallEventOf<'turn' | 'call.answered'>, at: number = event.at): void {
    if (event.type === 'call.answered') this.#fields.set('answeredAt', NOW);
    if (event.type === 'turn') this.#forgetWords(event.data.role);
    this.#add({ kind: 'event', event, at });
  }

  /** The event, and all before it, are on their way to the ledger. */
  told(event: string): void {
    this.#set('told', event);
  }

  rung(): void {
    this.#set('rung', true);
  }

  /** @param text all that the agent says in this turn, as far as it is known */
  says(text: string): void {
    const goesOn = text.startsWith(this.#saying.text);
    this.#tellSaying({ text, whole: false, heard: goesOn ? this.#saying.heard : '' });
  }

  /** The model has nothing more to say in this turn. */
  saysNoMore(): void {
    if (this.#saying.text !== '') this.#tellSaying({ ...this.#saying, whole: true });
  }

  /** @param heard as much of the agent's words as the far end has heard */
  said(heard: string): void {
    if (this.#saying.text !== '') this.#tellSaying({ ...this.#saying, heard });
  }

  /** The agent has fallen silent. */
  silent(): void {
    if (this.#saying.text !== '') this.#forgetWords('agent');
  }

  /** @param words all that the recogniser is done with, of a turn that may go on */
  hears(words: string): void {
    this.#set('hearing', words);
  }

  used(usage: readonly CallUsage[]): void {
    this.#set('usage', usage, 'soon');
  }

  /** Resolves when Redis has it: a tool should not run before. */
  async toolBegins(
    call: Omit<Extract<MemoryItem, { kind: 'tool' }>, 'kind' | 'at'>,
  ): Promise<void> {
    this.#add({ kind: 'tool', ...call, at: Date.now() });
    await this.settled();
  }

  toolAnswered(result: Omit<Extract<MemoryItem, { kind: 'tool_result' }>, 'kind' | 'at'>): void {
    this.#add({ kind: 'tool_result', ...result, at: Date.now() });
  }

  /** Resolves when everything so far is written, however long Redis is away. */
  async settled(): Promise<void> {
    this.#write();
    while (this.#writing) await this.#writing;
  }

  /** Takes nothing more; what it has is still written. */
  close(): void {
    this.#closed = true;
    this.#write();
  }

  #forgetWords(role: 'caller' | 'agent'): void {
    if (role === 'caller') this.#set('hearing', '', 'soon');
    else {
      this.#saying = { text: '', whole: false, heard: '' };
      this.#set('saying', null);
    }
  }

  #tellSaying(saying: { text: string; whole: boolean; heard: string }): void {
    this.#saying = saying;
    this.#set('saying', saying, 'soon');
  }

  #add(item: MemoryItem): void {
    if (this.#closed) return;
    this.#items = [...this.#items, item].slice(-MOST_ITEMS);
    this.#soon(0);
  }

  #set<K extends keyof MemoryState>(
    field: K,
    value: Readonly<MemoryState[K]>,
    when: 'now' | 'soon' = 'now',
  ): void {
    if (this.#closed) return;
    this.#fields.set(field, JSON.stringify(value));
    this.#soon(when === 'now' ? 0 : OFTEN_MS);
  }

  /** What happens in one go is written in one command. */
  #soon(ms: number): void {
    if (this.#closed || (this.#fields.size === 0 && this.#items.length === 0)) return;
    if (ms === 0) {
      queueMicrotask(() => this.#write());
      return;
    }
    this.#timer ??= setTimeout(() => this.#write(), ms).unref();
  }

  #write(): void {
    if (this.#writing) return;
    if (this.#fields.size === 0 && this.#items.length === 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#send().then(() => {
      this.#writing = undefined;
      // Words of the moment keep their pace, whatever came before them.
      return this.#closed || this.#items.length > 0 ? this.#write() : this.#soon(OFTEN_MS);
    });
  }

  async #send(): Promise<void> {
    const fields = [...this.#fields].flat();
    const items = this.#items.map((item) => JSON.stringify(item));
    const begins = this.#begins ? '1' : '';
    this.#fields = new Map();
    this.#items = [];
    this.#begins = false;
    const call = this.#call;
    const keys = [memoryKey(call), memoryItemsKey(call), ATTENDANCE] as const;
    const limits = [MEMORY_S, MOST_ITEMS, NOW] as const;
    const values = [call, this.#agent, begins, ...limits, items.length, ...items, ...fields];
    try {
      await this.#redis.eval(WRITE, keys.length, ...keys, ...values);
    } catch (thrown) {
      this.#log.warn({ err: asError(thrown), call }, 'could not write down a conversation');
    }
  }
}

/** Nothing is written of a call that is over: somebody has removed its memory. */
const WRITE = `
local call, agent, begins, ttl, most, now = unpack(ARGV, 1, 6)
local first, count = 8, tonumber(ARGV[7])
if begins == '' and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local attendance = agent ~= '' and redis.call('HGET', KEYS[3], call)
if attendance and cjson.decode(attendance).agent ~= agent then return 0 end
for i = first, first + count - 1 do redis.call('RPUSH', KEYS[2], ARGV[i]) end
redis.call('LTRIM', KEYS[2], -tonumber(most), -1)
for i = first + count, #ARGV, 2 do
  if ARGV[i + 1] == now then
    local time = redis.call('TIME')
    redis.call('HSETNX', KEYS[1], ARGV[i], string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)))
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
redis.call('EXPIRE', KEYS[1], ttl)
redis.call('EXPIRE', KEYS[2], ttl)
return 1`;
