import { isPrivate, type PublicAddress } from '../public-address.ts';
import type { Announced } from './announced-address.ts';
import { remedies, type Diagnosis } from './cause.ts';

/**
 * Whether livekit-sip announces an address that others reach. A wrong one is the most frequent cause of calls
 * without sound: the call is set up, and the far end sends its sound to nowhere.
 *
 * @param reachable where others reach this machine; undefined where only local trunks exist, or it is unknown
 */
export function addressDiagnoses(
  announced: Announced,
  reachable: PublicAddress | undefined,
): Diagnosis[] {
  if (!announced.ok || !reachable) return [];
  return (['signalling', 'media'] as const).flatMap((part) => {
    const address = announced[part];
    if (address === reachable.address) return [];
    const what = part === 'media' ? 'for sound (SDP)' : 'for signalling (Contact)';
    return [
      {
        symptom: 'silence',
        cause: 'wrong_announced_address',
        sentence: isPrivate(address)
          ? `livekit-sip announces a private address ${what}: carriers cannot reach it.`
          : `livekit-sip announces another address ${what} than others reach.`,
        evidence: [
          `livekit-sip announces ${address} ${what}`,
          `this machine is reached at ${reachable.address} (known from ${reachable.source})`,
        ],
        remedy: remedies.wrong_announced_address,
      },
    ];
  });
}
