import { createHash } from 'node:crypto';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import { callEvent, type CallEventOf, type CallEventType } from './call-event.ts';
import type { CallId } from './call-id.ts';
import { recallConversation, type Recalled } from './conversation-memory.ts';
import type { EventPublisher } from './event-stream.ts';

export type Untold = {
  /** Written down by the lost agent, with the ids they had: the ledger applies each once. */
  before: CallEventOf<'turn' | 'call.answered'>[];
  /** Turns that it was in the middle of. */
  broken: CallEventOf<'turn'>[];
};

type Spoken = Pick<Recalled, 'items' | 'told' | 'saying' | 'hearing'>;

/** What the ledger should hear of a call whose agent was lost, and may not have heard. */
export function untoldEvents(call: CallId, memory: Spoken): Untold {
  const { items, told, saying, hearing } = memory;
  const events = items.flatMap((item) => (item.kind === 'event' ? [item.event] : []));
  const last = events.findIndex(({ id }) => id === told);
  // What was told last is only missing where much has happened since; nothing waits for that long.
  const before = told !== undefined && last === -1 ? [] : events.slice(last + 1);
  const heard = saying?.heard.trim() ?? '';
  const words = hearing.trim();
  const said = { role: 'agent', text: heard, interrupted: true } as const;
  const asked = { role: 'caller', text: words, interrupted: false } as const;
  return {
    before,
    broken: [
      ...(heard === '' ? [] : [onceEvent('turn', call, memory, said)]),
      ...(words === '' ? [] : [onceEvent('turn', call, memory, asked)]),
    ],
  };
}

/**
 * Tells the ledger of a call that lost its agent and gets no other. May be repeated: the ledger applies each event
 * once. Never throws: the end of the call is told all the same.
 */
export async function tellUntold(
  deps: { redis: Redis; events: Pick<EventPublisher, 'send'>; log: Log },
  call: CallId,
): Promise<void> {
  try {
    const memory = await recallConversation(deps.redis, call);
    if (!memory) return;
    const { before, broken } = untoldEvents(call, memory);
    for (const event of [...before, ...broken]) await deps.events.send(event);
    const { usage } = memory;
    if (usage.length > 0) await deps.events.send(onceEvent('call.usage', call, memory, { usage }));
  } catch (thrown) {
    deps.log.error({ err: asError(thrown), call }, 'could not tell the rest of a conversation');
  }
}

/** An event with the same id whoever makes it of the same memory. */
function onceEvent<T extends CallEventType>(
  type: T,
  call: CallId,
  { items }: Pick<Recalled, 'items'>,
  data: CallEventOf<T>['data'],
): CallEventOf<T> {
  const last = items.at(-1);
  const place = last ? `${last.at} ${last.kind}` : '';
  const what = 'role' in data ? data.role : type;
  const digest = createHash('sha256').update(`${call} ${place} ${what}`).digest('hex');
  return { ...callEvent(type, call, data), id: `evt_${digest.slice(0, 26)}` };
}
