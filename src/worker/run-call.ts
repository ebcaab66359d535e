import { attend, stillAttends, unattend } from '../call/attendance.ts';
import { PHONE_IDENTITY } from '../call/job-metadata.ts';
import { leaveLiveCall } from '../call/live-calls.ts';
import type { CallEnd } from '../call/outcome.ts';
import { asError } from '../platform/errors.ts';
import { Releases } from '../platform/releases.ts';
import { withinMs } from '../platform/time-limit.ts';
import type { CallPlan } from './call-plan.ts';
import { deleteRoom } from './call-room.ts';
import { PhoneLeg } from './phone-leg.ts';
import { planInbound } from './plan-inbound.ts';
import { planOutbound } from './plan-outbound.ts';
import { planTakeOver, recallCall } from './plan-take-over.ts';
import { talk } from './talk.ts';
import { within } from './within.ts';
import type { CallJob, WorkerDeps } from './worker-deps.ts';

/** Longest wait for Redis to say whether the call is still this agent's; where it does not, it is. */
const ASK_MS = 1000;

/** Longest wait for the last turn, which was broken off; some 20 ms are usual. */
const LAST_WORDS_MS = 1000;

/**
 * Runs one call from the moment at which the agent has entered its room to its end, and releases everything
 * it took. Knows nothing of how the job came; several may run in one process.
 *
 *     plan ──▶ make ready ──▶ (ringing) ──▶ answered ──▶ talk ──▶ room deleted ──▶ call.ended ──▶ released
 *       └─ refuse ────────────────┴─ far end gone ────────────────────▲
 *
 * An outbound call that is not answered is ended by the dispatcher, which knows the SIP status: here it is
 * left without a word. So is a call that another agent attends (`call/attendance.ts`): this one came second, or
 * was taken for lost.
 */
export async function runCall(deps: WorkerDeps, job: CallJob): Promise<void> {
  const { metadata, room } = job;
  const roomName = room.name ?? '';
  const releases = new Releases();
  const takenOver = metadata.takeOver && (await recallCall(deps, metadata.takeOver));
  const identity = metadata.direction === 'outbound' ? PHONE_IDENTITY : undefined;
  const leg = new PhoneLeg(room, takenOver?.recalled?.facts.phone ?? identity);
  releases.add('phone', () => leg.close());
  if (metadata.direction === 'outbound') job.onIdentified(metadata.callId);
  let plan: CallPlan | undefined;
  let end: CallEnd | undefined;
  try {
    plan =
      (takenOver && (await planTakeOver(deps, job, takenOver))) ??
      (metadata.direction === 'outbound'
        ? await planOutbound(deps, metadata, job.agent)
        : await planInbound(deps, job, { trunk: metadata.trunk, leg, roomName }));
    if (plan) {
      job.onIdentified(plan.id);
      if (!(await attend(deps.redis, plan.id, { agent: job.agent, host: deps.host }))) {
        await releases.run();
        deps.log.info({ call: plan.id }, 'another agent attends the call');
        return;
      }
      end =
        plan.task.kind === 'refuse'
          ? plan.task.end
          : await talk(deps, job, { ...plan, task: plan.task, takenOver, leg, releases });
    }
  } catch (thrown) {
    deps.log.error(
      { err: asError(thrown), ...(plan ? { call: plan.id } : {}) },
      'could not run a call',
    );
    end = BROKEN;
  }
  const lost = plan !== undefined && (await isLost(deps, job, plan));
  // What is said while the conversation closes is the other agent's to tell.
  if (lost) plan?.journal.abandon();
  // The far end first: it must not wait for what is still to be released and written down.
  const leftToOthers = lost || (metadata.direction === 'outbound' && !end);
  const deleted = leftToOthers ? undefined : deleteRoom(deps, roomName);
  const released = releases.run().catch((thrown: unknown) => {
    deps.log.error(
      { err: asError(thrown), ...(plan ? { call: plan.id } : {}) },
      'could not release a call cleanly',
    );
  });
  // What was said last is reported while the conversation closes, and nothing may come after the end.
  await within(released, LAST_WORDS_MS);
  if (plan && end && !lost) await tellEnd(deps, job, plan, end);
  else await plan?.journal.flushed();
  await Promise.all([released, deleted]);
  await plan?.journal.flushed();
  // One that was told to let go has vacated the call, or does so when it has left the room.
  if (plan && leftToOthers && !job.letGo.aborted) await unattend(deps.redis, plan.id, job.agent);
}

/** Whether another agent has the call now, so that this one must touch neither room nor ledger. */
async function isLost(deps: WorkerDeps, job: CallJob, plan: CallPlan): Promise<boolean> {
  if (job.letGo.aborted) return true;
  const attends = stillAttends(deps.redis, plan.id, job.agent);
  const lost = await withinMs(ASK_MS, attends).then(
    (still) => !still,
    () => false,
  );
  if (lost) deps.log.warn({ call: plan.id }, 'another agent has taken the call');
  return lost;
}

/** Before slow releases, because a call whose room is gone and whose end is not told counts as lost. */
async function tellEnd(
  deps: WorkerDeps,
  job: CallJob,
  plan: CallPlan,
  end: CallEnd,
): Promise<void> {
  await plan.journal.end(end);
  if (plan.journal.abandoned.aborted) {
    deps.log.warn({ call: plan.id }, 'another agent has taken the call');
    return;
  }
  job.onEndTold();
  await leaveLiveCall(deps.redis, plan);
  const { outcome, hungUpBy } = end;
  deps.log.info({ call: plan.id, outcome, hungUpBy }, 'call ended');
}

const BROKEN: CallEnd = {
  outcome: 'failed',
  reason: 'The agent could not be started.',
  hungUpBy: 'system',
};
