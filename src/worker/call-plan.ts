import type { CallId } from '../call/call-id.ts';
import type { Recalled } from '../call/conversation-memory.ts';
import type { TakeOver } from '../call/job-metadata.ts';
import type { CallEnd } from '../call/outcome.ts';
import type { Personality } from '../personality/personality.ts';
import type { CallJournal } from './call-journal.ts';
import type { ConversationSettings } from './conversation-settings.ts';

/** What the worker is to do with a call. */
export type CallPlan = {
  id: CallId;
  trunk: string;
  /** Identity of the far end's participant. */
  phone: string;
  journal: CallJournal;
  task: TalkTask | RefuseTask;
};

/** Of a call whose agent was lost. */
export type TakenOver = Pick<TakeOver, 'cause'> & {
  /** The conversation so far; absent where none is known, so that it begins anew. */
  recalled: Recalled | undefined;
  /** How long the call has had no agent, in ms. */
  lostMs: () => number;
  /** How long ago the call was answered, in ms; 0 where it was not. */
  answeredMs: () => number;
};

export type TalkTask = {
  kind: 'talk';
  personality: Personality;
  settings: ConversationSettings;
};

export type RefuseTask = { kind: 'refuse'; end: CallEnd };

export function refuse(outcome: 'failed' | 'blocked', reason: string): RefuseTask {
  return { kind: 'refuse', end: { outcome, reason, hungUpBy: 'system' } };
}

/** The refusal of a call for which there is no personality. */
export function refuseWithoutPersonality(key: string): RefuseTask {
  return refuse(
    'failed',
    `There is no personality ${key}; \`trunkline personality check\` tells why.`,
  );
}
