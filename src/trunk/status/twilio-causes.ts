import type { Cause } from './cause.ts';
import type { TwilioFacts } from './twilio-facts.ts';

type Shown = { cause: Cause; sentence: string; evidence: string };

/** Causes that Twilio's own error numbers name: https://www.twilio.com/docs/api/errors */
const ALERTS: Readonly<Partial<Record<number, readonly [Cause, string]>>> = {
  13225: ['destination_not_enabled', 'Twilio blocks the number that was called.'],
  13227: ['destination_not_enabled', 'The account may not call that country.'],
  21210: ['caller_id_not_owned', 'The caller id is neither owned nor verified in the account.'],
  21215: ['destination_not_enabled', 'The account may not call that country.'],
  21219: ['trial_account', 'A trial account calls only verified numbers.'],
  32001: ['calls_per_second', 'More calls a second were started than the trunk may.'],
  32100: ['trial_account', 'A trial account calls only verified numbers.'],
  32200: ['suspended_account', 'The account is not active, or the trunk has no authentication.'],
  32201: ['address_not_allowed', "Our address is not on the trunk's access control list."],
  32202: ['wrong_password', 'The user name or password is wrong.'],
  32203: ['destination_not_enabled', 'Twilio blocks the number that was called.'],
  32204: ['caller_id_not_owned', 'The caller id is neither owned nor verified in the account.'],
  32205: ['destination_not_enabled', 'The account may not call that country.'],
};

/** What, in Twilio's account, makes it refuse calls with 403; the surest first. */
export function twilioCauses(facts: TwilioFacts): Shown[] {
  const { alerts, closedCountries, credential, foreignNumbers, state } = facts;
  const shown: Shown[] = [];
  if (state && state.account.status !== 'active') {
    shown.push({
      cause: 'suspended_account',
      sentence: `The Twilio account is ${state.account.status}.`,
      evidence: `Twilio's REST API gives the account's status as ${state.account.status}`,
    });
  }
  for (const { code, count, latest } of alerts ?? []) {
    const meaning = ALERTS[code];
    if (!meaning) continue;
    shown.push({
      cause: meaning[0],
      sentence: meaning[1],
      evidence: `Twilio noted error ${code} ${count} time(s) in 24 h, last at ${latest}: https://www.twilio.com/docs/api/errors/${code}`,
    });
  }
  if (credential === 'missing' || credential === 'unbound') {
    shown.push({
      cause: 'wrong_password',
      sentence: 'Twilio does not know the credential that livekit-sip uses.',
      evidence:
        credential === 'missing'
          ? 'the credential list in the account lacks our user name'
          : 'the credential list is not bound to the trunk',
    });
  }
  if (foreignNumbers && foreignNumbers.length > 0) {
    shown.push({
      cause: 'caller_id_not_owned',
      sentence: 'A caller id of the trunk is neither owned nor verified in the account.',
      evidence: `number ${foreignNumbers.join(', ')} of the trunk is not among the account's numbers and verified caller ids`,
    });
  }
  if (closedCountries && closedCountries.length > 0) {
    shown.push({
      cause: 'destination_not_enabled',
      sentence: 'The account may not call a country that this trunk calls.',
      evidence: `Twilio's geo permissions are off for ${closedCountries.join(', ')}`,
    });
  }
  if (state?.account.type === 'Trial') {
    shown.push({
      cause: 'trial_account',
      sentence: 'A trial account calls only verified numbers.',
      evidence: "Twilio's REST API gives the account's type as Trial",
    });
  }
  return shown;
}
