import { PHONE_IDENTITY } from '../call/job-metadata.ts';
import { leaveLiveCall } from '../call/live-calls.ts';
import type { CallEnd } from '../call/outcome.ts';
import { asError } from '../platform/errors.ts';
import { Releases } from '../platform/releases.ts';
import type { CallPlan } from './call-plan.ts';
import { deleteRoom } from './call-room.ts';
import { PhoneLeg } from './phone-leg.ts';
import { planInbound } from './plan-inbound.ts';
import { planOutbound } from './plan-outbound.ts';
import { talk } from './talk.ts';
import { within } from './within.ts';
import type { CallJob, WorkerDeps } from './worker-deps.ts';

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
 * left without a word.
 */
export async function runCall(deps: WorkerDeps, job: CallJob): Promise<void> {
  const { metadata, room } = job;
  const roomName = room.name ?? '';
  const releases = new Releases();
  const leg = new PhoneLeg(room, metadata.direction === 'outbound' ? PHONE_IDENTITY : undefined);
  releases.add('phone', () => leg.close());
  if (metadata.direction === 'outbound') job.onIdentified(metadata.callId);
  let plan: CallPlan | undefined;
  let end: CallEnd | undefined;
  try {
    plan =
      metadata.direction === 'outbound'
        ? await planOutbound(deps, metadata)
        : await planInbound(deps, { trunk: metadata.trunk, leg, roomName, stop: job.stop });
    if (plan) {
      job.onIdentified(plan.id);
      end =
        plan.task.kind === 'refuse'
          ? plan.task.end
          : await talk(deps, job, { ...plan, task: plan.task, leg, releases });
    }
  } catch (thrown) {
    deps.log.error(
      { err: asError(thrown), ...(plan ? { call: plan.id } : {}) },
      'could not run a call',
    );
    end = BROKEN;
  }
  // The far end first: it must not wait for what is still to be released and written down.
  const leftToDispatcher = metadata.direction === 'outbound' && !end;
  const deleted = leftToDispatcher ? undefined : deleteRoom(deps, roomName);
  const released = releases.run().catch((thrown: unknown) => {
    deps.log.error(
      { err: asError(thrown), ...(plan ? { call: plan.id } : {}) },
      'could not release a call cleanly',
    );
  });
  // What was said last is reported while the conversation closes, and nothing may come after the end.
  await within(released, LAST_WORDS_MS);
  if (plan && end) await tellEnd(deps, job, plan, end);
  else await plan?.journal.flushed();
  await Promise.all([released, deleted]);
  await plan?.journal.flushed();
}

/** Before slow releases, because a call whose room is gone and whose end is not told counts as lost. */
async function tellEnd(
  deps: WorkerDeps,
  job: CallJob,
  plan: CallPlan,
  end: CallEnd,
): Promise<void> {
  await plan.journal.end(end);
  await job.onEndTold();
  await leaveLiveCall(deps.redis, plan);
  const { outcome, hungUpBy } = end;
  deps.log.info({ call: plan.id, outcome, hungUpBy }, 'call ended');
}

const BROKEN: CallEnd = {
  outcome: 'failed',
  reason: 'The agent could not be started.',
  hungUpBy: 'system',
};
