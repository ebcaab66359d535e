import { setTimeout as sleep } from 'node:timers/promises';
import type { SipClient } from 'livekit-server-sdk';
import { endCall, type EndDeps } from '../call/call-end.ts';
import type { CallId } from '../call/call-id.ts';
import { cancelRequested } from '../call/cancel-request.ts';
import { readFence, releaseFence, type DialingFence } from '../call/dial-fence.ts';
import { getLiveCall } from '../call/live-calls.ts';
import { CANCELED } from '../call/operator-ends.ts';
import type { CallOrder } from '../call/order.ts';
import type { CallEnd } from '../call/outcome.ts';
import type { ReplicatedFences } from '../call/replicated-fences.ts';
import { reserveDeparture } from '../call/trunk-turns.ts';
import type { Log } from '../platform/log.ts';
import { redisNow } from '../platform/redis.ts';
import type { Trunk } from '../trunk/trunk.ts';
import type { CallRooms } from './call-room.ts';
import { dial } from './dial.ts';
import type { DispatcherMetrics } from './dispatcher-metrics.ts';
import { watchLostDial } from './lost-dial.ts';
import { countDial, retryDelay, SETUP_LIMIT_MS } from './patience.ts';
import { handOver, over, type Progress } from './progress.ts';

export type DialCallDeps = EndDeps & {
  rooms: CallRooms;
  sip: SipClient;
  fences: Pick<ReplicatedFences, 'take'>;
  log: Log;
  metrics: DispatcherMetrics;
  /** How long a phone may ring, in ms. */
  ringMs: number;
};

/** A call whose agent is ready. */
export type ReadyCall = {
  order: CallOrder;
  /** Unique to this run of the call's job: under it the fence is taken. */
  attempt: string;
  trunk: Trunk;
  /** LiveKit's id of the trunk. */
  trunkId: string;
  from: string | undefined;
  maxDurationMs: number;
  stopping: AbortSignal;
  /** Ends the call on behalf of this attempt. */
  end: (end: CallEnd) => Promise<Progress>;
};

/** How long an agent takes at most to tell the end of a call whose room is gone. */
const AGENT_TELLS_MS = 5000;
const AGENT_POLL_MS = 100;

/** A dial that was held up longer than this after taking the fence is given up: somebody may watch by now. */
const STALE_FENCE_MS = 8000;

/** Waits for the call's moment on its trunk, takes the fence, and dials. */
export async function dialCall(deps: DialCallDeps, call: ReadyCall): Promise<Progress> {
  const { redis } = deps;
  const { callId } = call.order;
  const trunk = call.trunk.name;
  const waitMs = await reserveDeparture(redis, trunk, call.trunk);
  // Aborted where this process must go: the reserved moment is lost, and that is all.
  await sleep(waitMs, undefined, { signal: call.stopping }).catch(() => undefined);
  if (call.stopping.aborted) return handOver;
  if (await cancelRequested(redis, callId)) return call.end(CANCELED);

  // Where Redis has lost a fence (a failover, a disk that was not synced) the room still tells of the dial.
  const { phone } = await deps.rooms.state(callId);
  const { attempt } = call;
  const fence = { attempt, trunk, at: await redisNow(redis), ringMs: deps.ringMs };
  const began = performance.now();
  switch (await deps.fences.take(callId, fence)) {
    case 'taken':
      break;
    case 'refused':
      deps.metrics.fenceRefused();
      deps.log.warn({ call: callId }, 'another attempt has the fence; not dialling');
      return handOver;
    case 'unsafe':
      deps.log.warn({ call: callId }, 'a failover of Redis could lose the fence; not dialling');
      return tryAgain(deps, call, noReplica);
  }
  if (phone !== 'absent') return followLostDial(deps, callId, fence, call.stopping);
  const dialing = { trunk, from: call.from, attempt: await countDial(redis, callId) };
  await deps.events.publish('call.dialing', callId, dialing, call.order);
  // By two clocks: after a failover Redis may have one that is behind, and ours stands while a machine is suspended.
  const age = Math.max((await redisNow(redis)) - fence.at, performance.now() - began);
  if (age > STALE_FENCE_MS) return call.end(heldUp);

  const dialled = deps.metrics.dialling(trunk);
  const result = await dial(deps, {
    callId,
    trunkId: call.trunkId,
    to: call.order.to,
    from: call.from,
    ringMs: deps.ringMs,
    maxDurationMs: call.maxDurationMs,
  });
  dialled(result.kind);
  switch (result.kind) {
    case 'answered':
      deps.log.info({ call: callId, trunk }, 'answered');
      return confirmAnswer(deps, callId, result.despite);
    case 'ended': {
      const { outcome, sipStatus } = result.end;
      deps.log.info({ call: callId, trunk, outcome, sipStatus }, 'not answered');
      return call.end(result.end);
    }
    case 'refused': {
      deps.log.warn({ call: callId, trunk, err: result.error }, 'nothing was dialled');
      return tryAgain(deps, call, result.end);
    }
    case 'unknown':
      deps.log.error({ call: callId, trunk, err: result.error }, 'the dial was cut off');
      return followLostDial(deps, callId, fence, call.stopping);
  }
}

/** Gives back a fence under which no INVITE has left, while there is patience with the call. */
async function tryAgain(deps: DialCallDeps, call: ReadyCall, end: CallEnd): Promise<Progress> {
  const { callId } = call.order;
  const waitMs = await retryDelay(deps.redis, callId, SETUP_LIMIT_MS);
  if (waitMs === undefined) return call.end(end);
  await releaseFence(deps.redis, callId, call.attempt);
  return { kind: 'again', waitMs };
}

/**
 * An attempt that was asleep for so long that the call was ended meanwhile must not leave a phone alone.
 *
 * @param despite why its INVITE was cancelled in the very moment of the answer. An agent that saw the answer
 *   tells the end, by the room's going; one that did not leaves it to us.
 */
async function confirmAnswer(
  deps: DialCallDeps,
  callId: CallId,
  despite: CallEnd | undefined,
): Promise<Progress> {
  const fence = await readFence(deps.redis, callId);
  if (fence?.state === 'ended' || despite) await deps.rooms.close(callId);
  if (!despite) return over;
  for (let waited = 0; waited < AGENT_TELLS_MS; waited += AGENT_POLL_MS) {
    if (!(await getLiveCall(deps.redis, callId))) return over;
    await sleep(AGENT_POLL_MS);
  }
  await endCall(deps, callId, despite, 'anybody');
  return over;
}

/** Watches a call that may have been dialled already to its answer or its end. */
export async function followLostDial(
  deps: DialCallDeps,
  callId: CallId,
  fence: DialingFence,
  stopping: AbortSignal,
): Promise<Progress> {
  deps.metrics.fenceRefused();
  deps.log.warn(
    { call: callId },
    'the call may have been dialled; watching it instead of dialling',
  );
  const found = await watchLostDial(deps, callId, fence, stopping);
  if (!found) return handOver;
  deps.log.info({ call: callId, found: found.kind }, 'the watch over a lost dial has ended');
  if (found.kind === 'ended') {
    const outcome = await endCall(deps, callId, found.end, 'anybody');
    if (outcome !== undefined) deps.metrics.ended(fence.trunk, outcome);
  }
  return over;
}

const noReplica: CallEnd = {
  outcome: 'failed',
  reason:
    'Redis had no replica that could keep the call from being dialled twice; it was not dialled.',
  hungUpBy: 'system',
};

const heldUp: CallEnd = {
  outcome: 'failed',
  reason: 'Dialling was held up too long and was given up.',
  hungUpBy: 'system',
};
