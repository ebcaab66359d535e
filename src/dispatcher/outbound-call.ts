import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SipClient } from 'livekit-server-sdk';
import { putBrief } from '../call/call-brief.ts';
import { cancelRequested } from '../call/cancel-request.ts';
import { readFence, releaseFence, takeFence, type DialingFence } from '../call/dial-fence.ts';
import type { CallOrder } from '../call/order.ts';
import type { CallEnd } from '../call/outcome.ts';
import { leaveLine, reserveDeparture, takeTurn } from '../call/trunk-turns.ts';
import type { Log } from '../platform/log.ts';
import type { OutboundChoice } from '../trunk/routing.ts';
import { endCall, publishEnd, type EndDeps } from './call-end.ts';
import { canceled, dial } from './dial.ts';
import type { DispatcherMetrics } from './dispatcher-metrics.ts';
import { redisNow, watchLostDial } from './lost-dial.ts';
import { countDial, retryDelay, startPatience } from './patience.ts';

/** `over`: answered, and the worker's from now on, or ended. `again`: to be taken up after `waitMs`. */
export type Progress = { kind: 'over' } | { kind: 'again'; waitMs: number };

/** What the dispatcher must know of who calls. */
export type Caller = { simulated: boolean; maxDurationMs: number };

export type OutboundDeps = EndDeps & {
  sip: SipClient;
  log: Log;
  metrics: DispatcherMetrics;
  /** Who calls, by the personality's key; undefined where there is no such personality. */
  caller: (personality: string) => Caller | undefined;
  route: (order: CallOrder, caller: Caller) => OutboundChoice;
  /** LiveKit's id of a trunk. */
  trunkId: (trunk: string) => Promise<string>;
  /** How long a phone may ring, in ms. */
  ringMs: number;
};

/** How long a call waits for an agent or for capacity of the SIP service before it is given up. */
const SETUP_LIMIT_MS = 60_000;

/** A dial that was held up longer than this after taking the fence is given up: somebody may watch by now. */
const STALE_FENCE_MS = 8000;

/** For another dispatcher to take the call over from one that stops. */
const HANDOVER_MS = 200;

const over: Progress = { kind: 'over' };

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
  if (fence) return followLostDial(deps, order, fence, stopping);

  const attempt = randomUUID();
  const end = async (callEnd: CallEnd, trunk?: string): Promise<Progress> => {
    if (trunk !== undefined) await leaveLine(redis, trunk, callId);
    const outcome = await endCall(deps, callId, callEnd, { attempt });
    if (outcome === undefined) return { kind: 'again', waitMs: HANDOVER_MS };
    deps.metrics.ended(trunk, outcome);
    return over;
  };

  if (await cancelRequested(redis, callId)) return end(canceled, order.trunk);
  const caller = deps.caller(order.personality);
  if (!caller) return end(refusal('failed', 'The personality that was to call no longer exists.'));
  const route = deps.route(order, caller);
  if (!route.ok) return end(refusal('blocked', sentence(route.reason)));
  const trunk = route.trunk.name;

  const turn = await takeTurn(
    redis,
    { id: callId, room: callId, trunk, direction: 'outbound', since: Date.now() },
    route.trunk,
    order.notBefore ?? order.acceptedAt,
  );
  if (!turn.granted) return { kind: 'again', waitMs: turn.waitMs };

  await startPatience(redis, callId);
  await putBrief(redis, order);
  await deps.rooms.prepare(callId, trunk);
  const [ready, trunkId] = await Promise.all([
    deps.rooms.agentReady(callId, stopping),
    deps.trunkId(trunk),
  ]);
  if (stopping.aborted) return { kind: 'again', waitMs: HANDOVER_MS };
  if (!ready) {
    deps.metrics.noAgent();
    const waitMs = await retryDelay(redis, callId, SETUP_LIMIT_MS);
    if (waitMs === undefined) return end(refusal('failed', 'No agent was free.'), trunk);
    deps.log.warn({ call: callId, trunk }, 'no agent came in time; nothing was dialled');
    await deps.rooms.close(callId);
    return { kind: 'again', waitMs };
  }

  const waitMs = await reserveDeparture(redis, trunk, route.trunk);
  // Aborted where this process must go: the reserved moment is lost, and that is all.
  await sleep(waitMs, undefined, { signal: stopping }).catch(() => undefined);
  if (stopping.aborted) return { kind: 'again', waitMs: HANDOVER_MS };
  if (await cancelRequested(redis, callId)) return end(canceled, trunk);

  const taken = { attempt, trunk, at: await redisNow(redis), ringMs: deps.ringMs };
  if (!(await takeFence(redis, callId, taken))) {
    deps.metrics.fenceRefused();
    deps.log.warn({ call: callId }, 'another attempt has the fence; not dialling');
    return { kind: 'again', waitMs: HANDOVER_MS };
  }
  await deps.events.publish('call.dialing', callId, {
    trunk,
    from: route.from,
    attempt: await countDial(redis, callId),
  });
  if ((await redisNow(redis)) - taken.at > STALE_FENCE_MS) {
    return end(refusal('failed', 'Dialling was held up too long and was given up.'), trunk);
  }

  const timing = deps.metrics.dialling(trunk);
  const dialled = await dial(deps, {
    callId,
    trunkId,
    to: order.to,
    from: route.from,
    ringMs: deps.ringMs,
    maxDurationMs: caller.maxDurationMs,
  });
  timing(dialled.kind);
  switch (dialled.kind) {
    case 'answered':
      deps.log.info({ call: callId, trunk }, 'answered');
      return confirmAnswer(deps, order);
    case 'ended':
      deps.log.info(
        { call: callId, trunk, outcome: dialled.end.outcome, sipStatus: dialled.end.sipStatus },
        'not answered',
      );
      return end(dialled.end, trunk);
    case 'refused': {
      deps.log.warn({ call: callId, trunk, err: dialled.error }, 'nothing was dialled');
      const waitMs = await retryDelay(redis, callId, SETUP_LIMIT_MS);
      if (waitMs === undefined) return end(dialled.end, trunk);
      await releaseFence(redis, callId, attempt);
      return { kind: 'again', waitMs };
    }
    case 'unknown':
      deps.log.error({ call: callId, trunk, err: dialled.error }, 'the dial was cut off');
      return followLostDial(deps, order, taken, stopping);
  }
}

/** An attempt that was asleep for so long that the call was ended meanwhile must not leave a phone alone. */
async function confirmAnswer(deps: OutboundDeps, order: CallOrder): Promise<Progress> {
  const fence = await readFence(deps.redis, order.callId);
  if (fence?.state === 'ended') await deps.rooms.close(order.callId);
  return over;
}

async function followLostDial(
  deps: OutboundDeps,
  order: CallOrder,
  fence: DialingFence,
  stopping: AbortSignal,
): Promise<Progress> {
  const { callId } = order;
  deps.metrics.fenceRefused();
  deps.log.warn(
    { call: callId },
    'the call may have been dialled; watching it instead of dialling',
  );
  const found = await watchLostDial(deps, callId, fence, stopping);
  if (!found) return { kind: 'again', waitMs: HANDOVER_MS };
  deps.log.info({ call: callId, found: found.kind }, 'the watch over a lost dial has ended');
  if (found.kind === 'ended') {
    const outcome = await endCall(deps, callId, found.end, 'anybody');
    if (outcome !== undefined) deps.metrics.ended(fence.trunk, outcome);
  }
  return over;
}

function refusal(outcome: 'failed' | 'blocked', reason: string): CallEnd {
  return { outcome, reason, hungUpBy: 'system' };
}

function sentence(reason: string): string {
  return `${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}.`;
}
