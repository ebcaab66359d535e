import type { llm } from '@livekit/agents';
import type { CallEventOf } from '../call/call-event.ts';
import type { MemoryFacts, MemoryItem } from '../call/conversation-memory.ts';
import { MemoryWriter } from '../call/memory-writer.ts';
import { pinPersonality } from '../call/pinned-personality.ts';
import { untoldEvents } from '../call/untold-events.ts';
import { asError } from '../platform/errors.ts';
import { chatHistory } from './chat-history.ts';
import { resumptionOf, type Resumption } from './resumption.ts';
import type { TalkContext } from './talk.ts';
import type { WorkerDeps } from './worker-deps.ts';

type Told = CallEventOf<'turn' | 'call.answered'>;

export type OpenMemory = {
  memory: MemoryWriter;
  /**
   * Writes an event down, and then into the journal.
   *
   * @param at its place in the conversation, ms since the epoch; absent: when it was made
   */
  tell: (event: Told, at?: number) => void;
  /** Once for the call, however many agents see it ring. */
  tellRinging: () => void;
  /** Present where another agent began the conversation. */
  history: llm.ChatContext | undefined;
  /** Present where the call was answered before. */
  resumption: Resumption | undefined;
};

/**
 * Opens the memory of a call: begins it, or goes on with that of the agent that was lost. What the ledger has not
 * heard from that one it is told now.
 */
export function openMemory(
  deps: Pick<WorkerDeps, 'redis' | 'log'>,
  agent: string,
  context: Pick<TalkContext, 'id' | 'trunk' | 'phone' | 'journal' | 'task' | 'takenOver'>,
): OpenMemory {
  const { id: call, journal, task, takenOver } = context;
  const recalled = takenOver?.recalled;
  const facts = recalled ? undefined : factsOf(context);
  const memory = new MemoryWriter({ redis: deps.redis, call, log: deps.log, agent, facts });
  journal.abandoned.addEventListener('abort', () => memory.close(), { once: true });
  pinPersonality(deps.redis, task.personality).catch((thrown: unknown) => {
    deps.log.warn({ err: asError(thrown), call }, 'could not pin a personality');
  });
  const send = (event: Told) => journal.send(event, () => memory.told(event.id));
  const tell = (event: Told, at?: number) => {
    memory.event(event, at);
    send(event);
  };
  let rung = recalled?.rung ?? false;
  const opened = {
    memory,
    tell,
    tellRinging: () => {
      if (rung) return;
      rung = true;
      memory.rung();
      journal.write('call.ringing', {});
    },
  };
  if (!takenOver || !recalled) return { ...opened, history: undefined, resumption: undefined };
  const { before, broken } = untoldEvents(call, recalled);
  for (const event of before) send(event);
  for (const event of broken) tell(event);
  const unheard = broken.map((event): MemoryItem => ({ kind: 'event', event, at: event.at }));
  const answered = recalled.answeredAt !== undefined;
  const { words } = task.settings;
  const planned = takenOver.cause === 'handover';
  return {
    ...opened,
    history: chatHistory([...recalled.items, ...unheard]),
    resumption: answered ? resumptionOf(recalled, { words, planned }) : undefined,
  };
}

function factsOf({
  trunk,
  phone,
  task: { personality, settings },
}: Pick<TalkContext, 'trunk' | 'phone' | 'task'>): MemoryFacts {
  const { direction, instructions, greeting, maxDurationMs } = settings;
  return {
    direction,
    trunk,
    phone,
    personality: personality.key,
    hash: personality.hash,
    instructions,
    ...(greeting === undefined ? {} : { greeting }),
    maxDurationMs,
  };
}
