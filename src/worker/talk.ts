import { callEvent } from '../call/call-event.ts';
import { READY_ATTRIBUTE } from '../call/job-metadata.ts';
import type { CallEnd } from '../call/outcome.ts';
import { recordingsFolder } from '../call/recording/recording-file.ts';
import type { Personality } from '../personality/personality.ts';
import { createSpeechComponents } from '../personality/providers/create-speech-components.ts';
import type { Releases } from '../platform/releases.ts';
import { BlindTransfer } from './blind-transfer.ts';
import type { CallPlan, TakenOver, TalkTask } from './call-plan.ts';
import { Conversation } from './conversation.ts';
import { firstOf } from './first-of.ts';
import { LiveTalk } from './live-talk.ts';
import { openMemory } from './open-memory.ts';
import { OperatorCommands } from './operator-commands.ts';
import { endOfAnsweredCall, endOfUnansweredCall } from './phone-end.ts';
import type { PhoneLeg } from './phone-leg.ts';
import { CallRecorder } from './recording/call-recorder.ts';
import { SpeechPause } from './talk-control.ts';
import { UsageMeter } from './usage-meter.ts';
import { within } from './within.ts';
import type { CallJob, WorkerDeps } from './worker-deps.ts';

/** Longest wait for an answer; livekit-sip gives up after 3 min in either direction. */
const ANSWER_MS = 185_000;

/**
 * Longest wait for the far end of a call that had been answered. It is in the room, but for the 6 s that livekit-sip
 * takes to come back after a restart of livekit-server.
 */
const RETURN_MS = 12_000;

/** Longest wait for what the call leaves in Redis. */
const MEMORY_MS = 1000;

export type TalkContext = Pick<CallPlan, 'id' | 'trunk' | 'phone' | 'journal'> & {
  task: TalkTask;
  /** Present where another agent began the call. */
  takenOver: TakenOver | undefined;
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
  context: TalkContext,
): Promise<CallEnd | undefined> {
  const { id, phone, journal, task, takenOver, leg, releases } = context;
  const { personality, settings } = task;
  const { memory, tell, tellRinging, history, resumption } = openMemory(deps, job.agent, context);
  releases.add('memory', async () => {
    memory.close();
    // Whoever goes on with the call begins with it.
    await within(memory.settled(), MEMORY_MS);
  });
  const over = Promise.withResolvers<CallEnd>();
  let recorder: CallRecorder | undefined;
  // A slow disk must hold up nothing that is released before.
  releases.add('recording', async () => {
    const recorded = await (journal.abandoned.aborted ? recorder?.abandon() : recorder?.finish());
    if (recorded) journal.write('call.recorded', recorded);
  });
  const vad = await deps.vads.of(personality);
  const { config, connections } = deps;
  const speech = await createSpeechComponents(personality, { config, vad, connections });
  const meter = new UsageMeter(personality, speech, {
    before: takenOver?.recalled?.usage ?? [],
    onUsed: () => memory.used(meter.usage),
  });
  // Also an outbound call that nobody answers has used something: its greeting.
  releases.add('usage', () => {
    const { usage } = meter;
    meter.close();
    if (usage.length > 0) journal.write('call.usage', { usage });
  });
  const live = new LiveTalk(id, deps.live);
  const present = tellTakeOver(context);
  releases.add('take-over', present);
  const conversation = await Conversation.start({
    room: job.room,
    phone,
    settings,
    speech,
    spoken: { shelf: deps.spoken, voice: voiceName(personality) },
    vad,
    log: deps.log,
    live,
    memory,
    history,
    resumption,
    onTurn: (turn, at) => {
      live.turn(turn.role);
      tell(callEvent('turn', id, turn), at);
    },
    onPresent: present,
    onSign: (sign) => {
      deps.log.warn({ call: id, sign }, 'something is wrong within a call');
      deps.notice(sign);
    },
    onEnd: over.resolve,
  });
  releases.add('conversation', () => conversation.close());
  releases.add('live talk', () => live.close());
  releases.add('last of the usage', () => meter.settle());
  const transfer = new BlindTransfer({
    call: id,
    sip: deps.sip,
    room: job.room.name ?? '',
    phone,
    journal,
    onPause: (paused) => conversation.pause(paused),
    onEnd: over.resolve,
    log: deps.log,
  });
  const operator = new OperatorCommands({
    direction: settings.direction,
    participant: job.room.localParticipant,
    transfer,
    journal,
    onEnd: (end, say) => (say === undefined ? over.resolve(end) : conversation.endAfter(say, end)),
  });
  releases.add('operator', () => operator.close());
  const deaf = deps.commands.listen(id, (command) => operator.carryOut(command));
  releases.add('commands', deaf);
  const pause = new SpeechPause(conversation.output);
  releases.add('pause', () => pause.close());
  job.onTalking({
    pause: (withinMs) => pause.wait(withinMs),
    endWithWords: () => conversation.endAfter(settings.words.trouble, STOPPED),
  });

  if (settings.direction === 'outbound') {
    void leg.ringing.then(tellRinging);
    await job.room.localParticipant?.setAttributes({ [READY_ATTRIBUTE]: '1' });
  }
  const before = await firstOf<CallEnd | 'answered' | 'left'>({
    promises: [
      // Whoever is in the room of a call that was answered before hears us, whatever its attributes say by now.
      (resumption ? leg.joined : leg.answered).then(() => 'answered'),
      over.promise,
      leg.gone.then((reason) => {
        if (resumption) return GONE_MEANWHILE;
        if (settings.direction === 'outbound') return 'left';
        return leg.answeredUnsaid ? 'answered' : endOfUnansweredCall(reason);
      }),
    ],
    withinMs: resumption ? RETURN_MS : ANSWER_MS,
    stop: job.stop,
  });
  if (before === 'left') return undefined;
  if (before !== 'answered') {
    if (before || job.stop.aborted) return before ?? STOPPED;
    return resumption ? GONE_MEANWHILE : NOT_ANSWERED;
  }

  if (!resumption) {
    tell(
      callEvent('call.answered', id, {
        personality: personality.key,
        simulated: personality.simulated,
        sipCallId: leg.sipCallId,
      }),
    );
  }
  if (personality.recording) {
    recorder = new CallRecorder({
      folder: recordingsFolder(deps.config),
      call: id,
      room: job.room,
      output: conversation.output,
      log: deps.log,
      ...(resumption && takenOver ? { continuesAtMs: takenOver.answeredMs() } : {}),
    });
  }
  conversation.begin();
  live.begin();
  operator.begin();
  const end = await firstOf({
    promises: [
      over.promise,
      leg.gone.then(
        async (reason) =>
          (await transfer.endOfLeaving()) ?? endOfAnsweredCall(reason, settings.direction),
      ),
    ],
    stop: job.stop,
  });
  // Its last moment is this one; whether it is ours to finish is known later.
  recorder?.stop();
  return end ?? STOPPED;
}

/** Tells once, whenever the agent is there, that it goes on with the call of one that was lost. */
function tellTakeOver({ takenOver, journal }: TalkContext): () => void {
  let told = takenOver === undefined;
  return () => {
    if (!takenOver || told) return;
    told = true;
    const { cause, recalled, lostMs } = takenOver;
    const hadAnswered = !recalled || recalled.answeredAt !== undefined;
    journal.write('call.taken_over', { cause, silentMs: hadAnswered ? lostMs() : 0 });
  };
}

const GONE_MEANWHILE: CallEnd = {
  outcome: 'failed',
  reason: 'The agent was lost, and the far end left before another came.',
  hungUpBy: 'system',
};

/** Tells voices apart that say the same. */
function voiceName({ language, components }: Personality): string {
  return JSON.stringify([language, components.tts]);
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
