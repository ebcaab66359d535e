import { countryOf } from '../destination.ts';
import type { Pulse } from '../sip-options.ts';
import type { Trunk } from '../trunk.ts';
import { remedies, type Cause, type Diagnosis } from './cause.ts';
import type { RecentCall } from './recent-calls.ts';
import { twilioCauses } from './twilio-causes.ts';
import type { TwilioFacts } from './twilio-facts.ts';

/** All that is known of one trunk. */
export type TrunkEvidence = {
  trunk: Trunk;
  /** Its last outbound calls. */
  calls: readonly RecentCall[];
  pulse: Pulse;
  twilio?: TwilioFacts | undefined;
};

/** What makes calls over a trunk fail, and what shows it. Empty where nothing fails. */
export function diagnose(evidence: TrunkEvidence): Diagnosis[] {
  const statuses = new Set(evidence.calls.map(({ sip_status: status }) => status ?? undefined));
  const found = [...statuses]
    .filter((status) => status !== undefined)
    .sort((a, b) => a - b)
    .flatMap((status) => diagnoseStatus(status, evidence));
  // An account that refuses everything is worth telling before the first call fails.
  if (!statuses.has(403) && evidence.twilio) {
    const sure: readonly Cause[] = ['suspended_account', 'wrong_password', 'caller_id_not_owned'];
    const early = refusals('none yet', evidence).filter(({ cause }) => sure.includes(cause));
    return [...silenceOf(evidence), ...found, ...early];
  }
  return [...silenceOf(evidence), ...found];
}

function diagnoseStatus(status: number, evidence: TrunkEvidence): Diagnosis[] {
  const { calls, pulse, trunk } = evidence;
  const those = calls.filter((call) => call.sip_status === status);
  const counted = `${those.length} of the last ${calls.length} calls over ${trunk.name} ended with ${status}, the latest at ${those[0]?.started_at}`;
  const one = (cause: Cause, sentence: string, more: string[] = []): Diagnosis[] => [
    diagnosis(trunk, String(status), cause, sentence, [counted, ...more]),
  ];
  switch (status) {
    case 401:
    case 407:
      return one(
        'wrong_password',
        trunk.credentials
          ? 'The carrier refuses the user name or password of the trunk.'
          : 'The carrier wants a user name and password, and the trunk has none.',
      );
    case 403:
      return refusals(String(status), evidence, counted);
    case 404:
    case 484:
    case 604:
      return one('number_unknown', 'The carrier does not know the number that was called.');
    case 488:
      return one(
        'no_common_codec',
        'The far end takes none of our codecs, or wants another encryption.',
        [`media_encryption is ${trunk.mediaEncryption}, transport is ${trunk.transport}`],
      );
    case 408: {
      const silent = those.filter(({ outcome }) => outcome === 'failed');
      if (silent.length === 0) return [];
      return one('trunk_silent', 'The carrier answered nothing to our calls.', [
        describePulse(pulse),
      ]);
    }
    default:
      return status >= 500 && status < 600
        ? one('trunk_overloaded', 'The carrier failed, or has no capacity.', [describePulse(pulse)])
        : [];
  }
}

/** What causes a 403, from the carrier's account where it can be asked, else from the calls themselves. */
function refusals(symptom: string, evidence: TrunkEvidence, counted?: string): Diagnosis[] {
  const { pulse, trunk, twilio } = evidence;
  const base = counted === undefined ? [] : [counted];
  const shown = twilio ? twilioCauses(twilio) : [...byCountry(evidence), ...byPulse(pulse)];
  const causes = [...new Set(shown.map(({ cause }) => cause))];
  const found = causes.map((cause) => {
    const same = shown.filter((it) => it.cause === cause);
    const proofs = same.map((it) => it.evidence);
    return diagnosis(trunk, symptom, cause, same[0]?.sentence ?? '', [...proofs, ...base]);
  });
  if (found.length > 0 || counted === undefined) return found;
  const asked = twilio
    ? twilio.unanswered.length > 0
      ? `Twilio's account could not be asked: ${twilio.unanswered.join('; ')}`
      : "Twilio's account shows nothing: it is active, the credential is bound, the caller ids are its own, the countries are open, and it noted no error"
    : 'this carrier has no interface that tells why';
  return [
    diagnosis(
      trunk,
      symptom,
      'unknown',
      `The carrier refuses calls, and there is no evidence why; ${asked}. It may be the password, our address, the caller id, the destination or the account.`,
      base,
    ),
  ];
}

/** Where some countries always work and others never, it is neither the password nor our address. */
function byCountry({ calls }: TrunkEvidence) {
  const countryOfCall = ({ to }: RecentCall) =>
    to === null || to === undefined ? undefined : countryOf(to);
  const reached = new Set(
    calls
      .filter(({ sip_status: status, outcome }) => status !== 403 && outcome === 'completed')
      .map(countryOfCall),
  );
  const refused = new Set(
    calls.filter(({ sip_status: status }) => status === 403).map(countryOfCall),
  );
  refused.delete(undefined);
  reached.delete(undefined);
  if (reached.size === 0 || refused.size === 0) return [];
  if ([...refused].some((country) => reached.has(country))) return [];
  return [
    {
      cause: 'destination_not_enabled' as const,
      sentence: 'The carrier refuses some countries, and takes calls to others.',
      evidence: `calls to ${[...refused].join(', ')} end with 403, calls to ${[...reached].join(', ')} are completed`,
    },
  ];
}

/** A carrier that refuses even a question without a number refuses us, not the call. */
function byPulse(pulse: Pulse) {
  if (!pulse.answered || pulse.status !== 403) return [];
  return [
    {
      cause: 'address_not_allowed' as const,
      sentence: 'The carrier refuses this machine, whatever it asks.',
      evidence: 'it answers even an OPTIONS, which names neither user nor number, with 403',
    },
  ];
}

function silenceOf({ pulse, trunk }: TrunkEvidence): Diagnosis[] {
  if (pulse.answered) return [];
  return [
    diagnosis(
      trunk,
      'silence',
      'trunk_silent',
      `The trunk's address does not answer: ${pulse.reason}.`,
      [describePulse(pulse)],
    ),
  ];
}

function describePulse(pulse: Pulse): string {
  return pulse.answered
    ? `it answers an OPTIONS with ${pulse.status} after ${Math.round(pulse.afterMs)} ms`
    : `it does not answer an OPTIONS: ${pulse.reason}`;
}

function diagnosis(
  trunk: Trunk,
  symptom: string,
  cause: Cause,
  sentence: string,
  evidence: string[],
): Diagnosis {
  return { trunk: trunk.name, symptom, cause, sentence, evidence, remedy: remedies[cause] };
}
