import { getBrief } from '../call/call-brief.ts';
import { PHONE_IDENTITY, type JobMetadata } from '../call/job-metadata.ts';
import type { CallOrder } from '../call/order.ts';
import { CallJournal } from './call-journal.ts';
import { refuse, refuseWithoutPersonality, type CallPlan } from './call-plan.ts';
import { conversationSettings } from './conversation-settings.ts';
import type { WorkerDeps } from './worker-deps.ts';

/** Finds the order of an outbound call, and who is to carry it out. */
export async function planOutbound(
  deps: WorkerDeps,
  { callId, trunk }: Extract<JobMetadata, { direction: 'outbound' }>,
  agent: string,
): Promise<CallPlan> {
  const order = await getBrief(deps.redis, callId);
  return {
    id: callId,
    trunk,
    phone: PHONE_IDENTITY,
    journal: new CallJournal(callId, deps.events, deps.log, agent),
    task: order ? taskOf(deps, order) : refuse('failed', 'The order of the call has expired.'),
  };
}

function taskOf(deps: WorkerDeps, order: CallOrder): CallPlan['task'] {
  const personality = deps.personalities.get(order.personality);
  if (!personality) return refuseWithoutPersonality(order.personality);
  const settings = conversationSettings(personality, {
    direction: 'outbound',
    variables: {
      ...(order.callerName === undefined ? {} : { caller_name: order.callerName }),
      ...order.variables,
    },
    prompt: order.prompt,
    greeting: order.greeting,
    maxDurationMs: order.maxDurationMs,
  });
  return { kind: 'talk', personality, settings };
}
