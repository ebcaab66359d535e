import { READY_ATTRIBUTE } from '../call/job-metadata.ts';
import type { CallEnd } from '../call/outcome.ts';
import { createSpeechComponents } from '../personality/providers/create-speech-components.ts';
import type { Releases } from '../platform/releases.ts';
import type { CallPlan, TalkTask } from './call-plan.ts';
import { Conversation } from './conversation.ts';
import { firstOf } from './first-of.ts';
import { endOfAnsweredCall, endOfUnansweredCall } from './phone-end.ts';
import type { PhoneLeg } from './phone-leg.ts';
import type { CallJob, WorkerDeps } from './worker-deps.ts';

/** Longest wait for an answer; livekit-sip gives up after 3 min in either direction. */
const ANSWER_MS = 185_000;

export type TalkContext = Pick<CallPlan, 'phone' | 'journal'> & {
  task: TalkTask;
  leg: PhoneLeg;
  /** Takes what the call acquires. */
  releases: Releases;
};

/**
 * Makes the agent ready, waits for the answer and talks until the call is over.
 *
 * @returns undefined where an outbound call was not answered: its end is the dispatcher's to tell
 */
export async function talk(
  deps: WorkerDeps,
  job: CallJob,
  { phone, journal, task, leg, releases }: TalkContext,
): Promise<CallEnd | undefined> {
  const { personality, settings } = task;
  const over = Promise.withResolvers<CallEnd>();
  const vad = await deps.vads.of(personality);
  const conversation = await Conversation.start({
    room: job.room,
    phone,
    settings,
    speech: await createSpeechComponents(personality, { config: deps.config, vad }),
    vad,
    log: deps.log,
    onTurn: (turn) => journal.write('turn', turn),
    onEnd: over.resolve,
  });
  releases.add('conversation', () => conversation.close());

  if (settings.direction === 'outbound') {
    void leg.ringing.then(() => journal.write('call.ringing', {}));
    await job.room.localParticipant?.setAttributes({ [READY_ATTRIBUTE]: '1' });
  }
  const before = await firstOf<CallEnd | 'answered' | 'left'>({
    promises: [
      leg.answered.then(() => 'answered'),
      over.promise,
      leg.gone.then((reason) => {
        if (settings.direction === 'outbound') return 'left';
        return leg.answeredUnsaid ? 'answered' : endOfUnansweredCall(reason);
      }),
    ],
    withinMs: ANSWER_MS,
    stop: job.stop,
  });
  if (before === 'left') return undefined;
  if (before !== 'answered') return before ?? (job.stop.aborted ? STOPPED : NOT_ANSWERED);

  journal.write('call.answered', {
    personality: personality.key,
    simulated: personality.simulated,
    sipCallId: leg.sipCallId,
  });
  conversation.begin();
  const end = await firstOf({
    promises: [
      over.promise,
      leg.gone.then((reason) => endOfAnsweredCall(reason, settings.direction)),
    ],
    stop: job.stop,
  });
  return end ?? STOPPED;
}

const NOT_ANSWERED: CallEnd = {
  outcome: 'failed',
  reason: 'The call was not answered in time.',
  hungUpBy: 'system',
};

const STOPPED: CallEnd = {
  outcome: 'failed',
  reason: 'The worker was stopped.',
  hungUpBy: 'system',
};
