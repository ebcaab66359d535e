import { setTimeout as sleep } from 'node:timers/promises';
import type { SipClient } from 'livekit-server-sdk';
import { cancelRequested } from '../call/cancel-request.ts';
import type { CallId } from '../call/call-id.ts';
import { PHONE_IDENTITY } from '../call/job-metadata.ts';
import { CANCELED } from '../call/operator-ends.ts';
import type { CallEnd } from '../call/outcome.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import type { CallRooms } from './call-room.ts';
import { RingingAgent } from './ringing-agent.ts';
import { classifyDialError, type DialFailure, type DialKnowledge } from './dial-error.ts';

export type DialPlan = {
  callId: CallId;
  /** LiveKit's id of the outbound trunk. */
  trunkId: string;
  to: string;
  from: string | undefined;
  /** How long the phone may ring, in ms, at most 75 s: livekit-server itself gives up at 80 s. */
  ringMs: number;
  /** How long the agent lets the call last, in ms; the SIP service hangs up some time after it. */
  maxDurationMs: number;
};

/** `despite`: it was answered in the moment in which we cancelled it, for this reason. */
export type Dialled =
  | { kind: 'answered'; despite: CallEnd | undefined }
  | (DialFailure & { error: Error });

export type DialDeps = { sip: SipClient; rooms: CallRooms; redis: Redis; log: Log };

const WATCH_MS = 500;

/** The agent ends the call in its own words; the SIP service only where the agent does not. */
const DURATION_MARGIN_MS = 120_000;

/** Less than this under the ring time-out, a call that timed out was broken off by somebody. */
const EARLY_MS = 1500;

/** Time for the answer to come back over HTTP after the phone has rung its longest. */
const REQUEST_MARGIN_MS = 4000;

/**
 * Sends the one INVITE of a call and waits until it is answered or has failed. Only the holder of the
 * call's fence may call this, and once. While it rings the call can still be canceled.
 */
export async function dial(deps: DialDeps, plan: DialPlan): Promise<Dialled> {
  const known: DialKnowledge = { rang: false, brokenOff: false, intent: undefined };
  const start = performance.now();
  const finished = new AbortController();
  const watching = watchRinging(deps, plan.callId, known, finished.signal);
  try {
    await deps.sip.createSipParticipant(plan.trunkId, plan.to, plan.callId, {
      participantIdentity: PHONE_IDENTITY,
      participantName: 'phone',
      ...(plan.from === undefined ? {} : { fromNumber: plan.from }),
      hidePhoneNumber: true,
      playDialtone: false,
      krispEnabled: false,
      waitUntilAnswered: true,
      ringingTimeout: Math.round(plan.ringMs / 1000),
      maxCallDuration: Math.ceil((plan.maxDurationMs + DURATION_MARGIN_MS) / 1000),
      timeout: Math.ceil((plan.ringMs + REQUEST_MARGIN_MS) / 1000),
    });
    return { kind: 'answered', despite: known.intent };
  } catch (thrown) {
    const error = asError(thrown);
    known.brokenOff = performance.now() - start < plan.ringMs - EARLY_MS;
    return { ...classifyDialError(error, known), error };
  } finally {
    finished.abort();
    await watching;
  }
}

/** Notes that the phone rings, and cancels the call when it is asked to or no agent is to be had any more. */
async function watchRinging(
  deps: DialDeps,
  callId: CallId,
  known: DialKnowledge,
  finished: AbortSignal,
): Promise<void> {
  const agentWatch = new RingingAgent(deps.redis, callId);
  for (;;) {
    // Aborted by the end of the dial: no reason to wait the rest.
    await sleep(WATCH_MS, undefined, { signal: finished }).catch(() => undefined);
    if (finished.aborted) return;
    try {
      const { phone, agent } = await deps.rooms.state(callId);
      if (phone === 'active') continue;
      known.rang ||= phone === 'ringing';
      const lost = await agentWatch.isLost(agent !== 'absent', performance.now());
      const intent = (await cancelRequested(deps.redis, callId))
        ? CANCELED
        : lost
          ? agentLost
          : undefined;
      if (intent && !finished.aborted) {
        // Recorded before the room goes: the error that follows does not tell who cancelled.
        known.intent = intent;
        await deps.rooms.close(callId);
        return;
      }
    } catch (thrown) {
      deps.log.warn({ err: asError(thrown), call: callId }, 'could not watch a ringing call');
    }
  }
}

const agentLost: CallEnd = {
  outcome: 'failed',
  reason: 'The agent left the call before it was answered, so the call was cancelled.',
  hungUpBy: 'system',
};
