import type { Environment } from '../platform/config-schema.ts';

/** Of livekit-sip a leg takes one UDP port, an even one (RFC 3550): two numbers. */
const NUMBERS_PER_LEG = 2;

/** A call has a second leg while it is transferred, and over the loopback trunk, whose calls livekit-sip makes to itself. */
const LEGS_PER_CALL = 2;

/**
 * Legs for which there is room, for each leg of a full house: one that talks, one whose port is still drained, and a
 * half for callers who ring while all agents are busy. livekit-sip does not survive having no port left.
 */
const ROOM = 2.5;

/** Costs nothing, and never runs out on a small machine. */
const LEAST = 500;

/** How long a port stays taken after its call: livekit-sip's own 30 s idle, and up to 10 min, would want far more. */
export const RTP_DRAINING = { idle: '5s', most: '10s' } as const;

/** Calls that livekit-sip of this machine carries at a time. */
export function sipMaxCalls(
  config: Pick<Environment, 'SIP_MAX_CALLS' | 'NUM_AGENTS' | 'WORKER_MAX_CALLS'>,
): number {
  return config.SIP_MAX_CALLS ?? Math.max(1, config.NUM_AGENTS) * config.WORKER_MAX_CALLS;
}

/** UDP ports of livekit-sip for so many calls. */
export function rtpWidth(maxCalls: number): number {
  return Math.max(LEAST, Math.ceil(maxCalls * LEGS_PER_CALL * NUMBERS_PER_LEG * ROOM));
}
