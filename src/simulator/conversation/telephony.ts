import type { Leg } from '../leg.ts';
import type { CalleeBehaviour } from './schema.ts';

/** Somebody dials. */
export type Dialling = { to: string; from?: string | undefined; via: 'phone' | 'loopback' };

/** A leg as the telephones give it; the phone's knows its SIP Call-ID, which the ledger knows too. */
export type DialledLeg = Leg & { readonly callId?: string };

/** What a conversation needs of the simulator's telephones. */
export interface Telephony {
  /** Resolves when the call is on its way; the leg tells the rest. */
  dial(call: Dialling, signal: AbortSignal): Promise<DialledLeg>;
  /** Takes the calls for a number that reach the simulated phone, until released. */
  expectCalls(number: string, behaviour: CalleeBehaviour | undefined): ExpectedCalls;
}

export interface ExpectedCalls {
  /** The next call that the phone answers or will answer. */
  next(signal: AbortSignal): Promise<DialledLeg>;
  /** Distinct INVITEs (by Call-ID) for the number since it is expected. */
  invites(): number;
  release(): void;
}
