import { SipCallError } from 'livekit-server-sdk';
import { maskNumbers } from '../platform/mask.ts';
import type { LegEnd } from './leg.ts';

/**
 * How a leg ended whose dialling livekit-sip refused: in its own words, which are all that tells a wrong
 * password from a busy machine, but without the number, which they may repeat.
 */
export function endOfRefusal(error: Error): LegEnd {
  const status = error instanceof SipCallError ? error.sipStatusCode : undefined;
  return { by: 'remote', status, reason: maskNumbers(error.message) };
}
