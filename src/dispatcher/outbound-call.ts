import { randomUUID } from 'node:crypto';
import { forgetAttendance } from '../call/attendance.ts';
import { putBrief } from '../call/call-brief.ts';
import { endCall, publishEnd } from '../call/call-end.ts';
import { cancelRequested } from '../call/cancel-request.ts';
import { readFence } from '../call/dial-fence.ts';
import { workerCapacity } from '../call/heartbeat.ts';
import { getLiveCall } from '../call/live-calls.ts';
import { CANCELED } from '../call/operator-ends.ts';
import { priorityOf, type CallOrder } from '../call/order.ts';
import type { CallEnd } from '../call/outcome.ts';
import { leaveLine, placeInLine, takeTurn } from '../call/trunk-turns.ts';
import type { OutboundChoice } from '../trunk/routing.ts';
import { dialCall, followLostDial, type DialCallDeps } from './dial-call.ts';
import { retryDelay, SETUP_LIMIT_MS, startPatience } from './patience.ts';
import { handOver, over, type Progress } from './progress.ts';

/** What the dispatcher must know of who calls. */
type Caller = { simulated: boolean; maxDurationMs: number };

export type OutboundDeps = DialCallDeps & {
  /** Who calls, by the personality's key; undefined where there is no such personality. */
  caller: (personality: string) => Caller | undefined;
  route: (order: CallOrder, caller: Caller) => OutboundChoice;
  /** LiveKit's id of a trunk. */
  trunkId: (trunk: string) => Promise<string>;
};

/**
 * Takes one outbound call as far as it will go now. Whoever is killed at whatever line below, the next run
 * finds in Redis how far this one came:
 *
 *   no fence ──▶ route ─▶ turn ─▶ room and agent ─▶ departure ─▶ take the fence ─▶ dial ─▶ answered, or end
 *   fence: dialing (an attempt is lost, or alive elsewhere) ──▶ watch, never dial ─▶ answered, or end
 *   fence: ended ──▶ publish that end again
 *
 * @param stopping aborted when this process must go: what has not been dialled is handed over.
 * @throws whatever fails unexpectedly; running it again is safe.
 */
export async function advanceCall(
  deps: OutboundDeps,
  order: CallOrder,
  stopping: AbortSignal,
): Promise<Progress> {
  const { redis } = deps;
  const { callId } = order;
  const fence = await readFence(redis, callId);
  if (fence?.state === 'ended') {
    await publishEnd(deps, callId, fence.event);
    return over;
  }
  if (fence) return followLostDial(deps, callId, fence, stopping);

  const attempt = randomUUID();
  const end = async (callEnd: CallEnd, trunk?: string): Promise<Progress> => {
    if (trunk !== undefined) await leaveLine(redis, trunk, callId);
    const outcome = await endCall(deps, callId, callEnd, { attempt });
    if (outcome === undefined) return handOver;
    deps.metrics.ended(trunk, outcome);
    return over;
  };

  if (await cancelRequested(redis, callId)) return end(CANCELED, order.trunk);
  const caller = deps.caller(order.personality);
  if (!caller) return end(refusal('failed', 'The personality that was to call no longer exists.'));
  const route = deps.route(order, caller);
  if (!route.ok) return end(refusal('blocked', sentence(route.reason)));
  const trunk = route.trunk.name;

  // Calls for which there is no agent wait in line, where an urgent one overtakes, and not in a room.
  const turn = await takeTurn(
    redis,
    { id: callId, room: callId, trunk, direction: 'outbound', since: Date.now() },
    { ...route.trunk, agents: await workerCapacity(redis) },
    placeInLine(priorityOf(order), order.notBefore ?? order.acceptedAt),
  );
  if (!turn.granted) return { kind: 'again', waitMs: turn.waitMs };

  await startPatience(redis, callId);
  await putBrief(redis, order);
  await deps.rooms.prepare(callId, trunk);
  const [ready, trunkId] = await Promise.all([
    deps.rooms.agentReady(callId, stopping),
    deps.trunkId(trunk),
  ]);
  if (stopping.aborted) return handOver;
  if (!(await getLiveCall(redis, callId))) return end(endedByAgent, trunk);
  if (!ready) {
    deps.metrics.noAgent();
    const waitMs = await retryDelay(redis, callId, SETUP_LIMIT_MS);
    if (waitMs === undefined) return end(refusal('failed', 'No agent was free.'), trunk);
    deps.log.warn({ call: callId, trunk }, 'no agent came in time; nothing was dialled');
    await deps.rooms.close(callId);
    // An agent that came and did not get ready must not keep the next one out.
    await forgetAttendance(redis, callId);
    return { kind: 'again', waitMs };
  }
  return dialCall(deps, {
    order,
    attempt,
    trunk: route.trunk,
    trunkId,
    from: route.from,
    maxDurationMs: order.maxDurationMs ?? caller.maxDurationMs,
    stopping,
    end: (callEnd) => end(callEnd, trunk),
  });
}

function refusal(outcome: 'failed' | 'blocked', reason: string): CallEnd {
  return { outcome, reason, hungUpBy: 'system' };
}

/** Its agent could not take the call up and has said why: that end came first, and is the one that stands. */
const endedByAgent: CallEnd = refusal('failed', 'The agent ended the call before it was dialled.');

function sentence(reason: string): string {
  return `${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}.`;
}
