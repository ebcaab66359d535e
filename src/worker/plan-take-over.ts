import { recallConversation } from '../call/conversation-memory.ts';
import type { TakeOver } from '../call/job-metadata.ts';
import { pinnedPersonality } from '../call/pinned-personality.ts';
import { asError } from '../platform/errors.ts';
import { CallJournal } from './call-journal.ts';
import type { CallPlan, TakenOver } from './call-plan.ts';
import { filledInSettings } from './conversation-settings.ts';
import type { CallJob, WorkerDeps } from './worker-deps.ts';

/** What is known of a call whose agent was lost. Never throws: where nothing is known the call begins anew. */
export async function recallCall(
  deps: Pick<WorkerDeps, 'redis' | 'log'>,
  takeOver: TakeOver,
): Promise<TakenOver> {
  const { callId, cause, lostAt } = takeOver;
  const recalled = await recallConversation(deps.redis, callId).catch((thrown: unknown) => {
    deps.log.error({ err: asError(thrown), call: callId }, 'could not recall a conversation');
    return undefined;
  });
  if (!recalled) deps.log.warn({ call: callId }, 'nothing is known of a conversation');
  const now = recalled?.now ?? Date.now();
  const readAt = performance.now();
  // Clocks of machines differ: the times of the call are of the clock of Redis, what passes from here on is ours.
  const since = (at: number) => Math.max(0, Math.round(now - at + performance.now() - readAt));
  return {
    cause,
    recalled,
    lostMs: () => since(lostAt),
    answeredMs: () => since(recalled?.answeredAt ?? now + performance.now() - readAt),
  };
}

/**
 * How to go on with a call: with the personality that it began with, as it was then, and its texts as they were
 * filled in.
 *
 * @returns undefined where that is not known
 */
export async function planTakeOver(
  deps: Pick<WorkerDeps, 'redis' | 'events' | 'log' | 'personalities'>,
  { agent, metadata: { takeOver } }: Pick<CallJob, 'agent' | 'metadata'>,
  { recalled }: Pick<TakenOver, 'recalled'>,
): Promise<CallPlan | undefined> {
  if (!takeOver || !recalled) return undefined;
  const { facts } = recalled;
  const pinned = await pinnedPersonality(deps.redis, facts.hash);
  const current = deps.personalities.get(facts.personality);
  // One that was pinned by an earlier version may lack what personalities have since.
  const personality = pinned ? { ...current, ...pinned } : current;
  if (!personality) return undefined;
  const { direction, trunk, phone, instructions, greeting, maxDurationMs } = facts;
  return {
    id: takeOver.callId,
    trunk,
    phone,
    journal: new CallJournal(takeOver.callId, deps.events, deps.log, agent),
    task: {
      kind: 'talk',
      personality,
      settings: filledInSettings(personality, {
        direction,
        instructions,
        greeting,
        maxDurationMs,
      }),
    },
  };
}
