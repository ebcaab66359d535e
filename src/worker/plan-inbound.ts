import type { CallId } from '../call/call-id.ts';
import { enterLiveCall } from '../call/live-calls.ts';
import { allocateCallId } from '../call/room-call-id.ts';
import type { Personality } from '../personality/personality.ts';
import { personalityForInbound } from '../trunk/routing.ts';
import { isLocal } from '../trunk/trunk.ts';
import { CallJournal } from './call-journal.ts';
import { refuse, refuseWithoutPersonality, type CallPlan } from './call-plan.ts';
import { conversationSettings } from './conversation-settings.ts';
import { firstOf } from './first-of.ts';
import type { PhoneLeg } from './phone-leg.ts';
import type { CallJob, WorkerDeps } from './worker-deps.ts';

/** Longest wait for the far end to appear in its room. */
const ARRIVAL_MS = 5000;

/**
 * Finds out what to do with a call that came in: the number that was called decides the personality. Tells
 * the ledger of the call.
 *
 * @returns undefined where nobody is in the room
 */
export async function planInbound(
  deps: WorkerDeps,
  { agent, stop }: Pick<CallJob, 'agent' | 'stop'>,
  call: { trunk: string; leg: PhoneLeg; roomName: string },
): Promise<CallPlan | undefined> {
  const { trunk, leg, roomName } = call;
  const caller = await firstOf({
    promises: [leg.joined, leg.gone.then(() => undefined)],
    withinMs: ARRIVAL_MS,
    stop,
  });
  if (!caller) return undefined;
  const { attributes } = caller;
  const number = attributes['sip.trunkPhoneNumber'] ?? '';
  const { id, isNew } = await allocateCallId(deps.redis, roomName);
  const choice = choosePersonality(deps, id, trunk, number);
  const journal = new CallJournal(id, deps.events, deps.log, agent);
  if (isNew) {
    journal.write('call.received', {
      from: attributes['sip.phoneNumber'] ?? '',
      to: number,
      trunk,
      personality: choice.key,
      simulated: choice.personality?.simulated ?? false,
      sipCallId: leg.sipCallId,
    });
  }
  const since = Date.now();
  await enterLiveCall(deps.redis, { id, room: roomName, trunk, direction: 'inbound', since });
  return { id, trunk, phone: caller.identity, journal, task: taskOf(deps, trunk, choice) };
}

type Choice = { key: string; personality: Personality | undefined };

/** Who answers a number; where that personality does not exist, the default one. */
function choosePersonality(deps: WorkerDeps, call: CallId, trunk: string, number: string): Choice {
  const fallback = deps.config.DEFAULT_PERSONALITY;
  const key = personalityForInbound(deps.trunks, { trunk, number }) ?? fallback;
  const personality = deps.personalities.get(key);
  if (personality || key === fallback) return { key, personality };
  deps.log.error(
    { call, personality: key, fallback },
    'a number has a personality that does not exist',
  );
  return { key: fallback, personality: deps.personalities.get(fallback) };
}

function taskOf(
  deps: WorkerDeps,
  trunkName: string,
  { key, personality }: Choice,
): CallPlan['task'] {
  if (!personality) return refuseWithoutPersonality(key);
  const trunk = deps.trunks.find(({ name }) => name === trunkName);
  if (personality.simulated && !(trunk && isLocal(trunk))) {
    return refuse(
      'blocked',
      `The personality ${key} runs on the simulator, so it does not answer people on the trunk ${trunkName}.`,
    );
  }
  const settings = conversationSettings(personality, { direction: 'inbound', variables: {} });
  return { kind: 'talk', personality, settings };
}
