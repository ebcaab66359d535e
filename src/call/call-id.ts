import { createHash } from 'node:crypto';
import { ulid } from 'ulid';

/** The opaque, time-ordered key of a call, everywhere inside: `call_` and a ULID in lower case. */
export type CallId = `call_${string}`;

export function newCallId(at: number = Date.now()): CallId {
  return `call_${ulid(at).toLowerCase()}`;
}

export function isCallId(text: string): text is CallId {
  return /^call_[0-9a-z]{26}$/.test(text);
}

/**
 * The call's public name in the answer of `POST /api/outbound-call`:
 * `outbound-YYYYMMDD-HHMMSS-+15551234567`, in UTC. It holds the number, so it is an alias only and is
 * erased with the person's data.
 */
export function publicCallId(toNumber: string, at: Date): string {
  const [date = '', time = ''] = at.toISOString().split('T');
  return `outbound-${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${toNumber}`;
}

/** A room's name may hold a number, so where it serves as a key its hash stands for it. */
export function roomKey(roomName: string): string {
  return createHash('sha256').update(roomName).digest('hex').slice(0, 32);
}
