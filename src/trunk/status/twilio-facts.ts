import { asError } from '../../platform/errors.ts';
import { askTwilio } from '../twilio/twilio-error.ts';
import type { TwilioClient } from '../twilio/twilio-client.ts';
import { derivedCredentials } from '../twilio/twilio-names.ts';
import { readTwilio, type TwilioState } from '../twilio/twilio-state.ts';
import type { Trunk } from '../trunk.ts';

/** An error that Twilio noted about calls: https://www.twilio.com/docs/usage/monitor-alert */
type TwilioAlert = { code: number; count: number; latest: string };

/** What the account tells about why calls fail. What could not be asked is in `unanswered`. */
export type TwilioFacts = {
  state?: TwilioState | undefined;
  /** Whether the credential that livekit-sip uses is there and bound to the trunk. */
  credential?: 'bound' | 'unbound' | 'missing' | undefined;
  /** Positions, from 1, of the trunk's numbers that are neither owned nor verified. */
  foreignNumbers?: number[] | undefined;
  /** Countries among those asked for that the account may not call. */
  closedCountries?: string[] | undefined;
  alerts?: TwilioAlert[] | undefined;
  unanswered: string[];
};

const ALERTS_OF_MS = 24 * 3600_000;

/**
 * @param countries ISO codes of the countries that were called, or may be
 * @returns never rejects
 */
export async function gatherTwilioFacts(
  client: TwilioClient,
  trunk: Trunk,
  countries: readonly string[],
): Promise<TwilioFacts> {
  const unanswered: string[] = [];
  const ask = async <T>(question: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await question();
    } catch (thrown) {
      unanswered.push(asError(thrown).message);
      return undefined;
    }
  };
  const state = await ask(() => readTwilio(client, trunk));
  // With a wrong token or a suspended account every further question gets the same answer.
  if (!state || state.account.status !== 'active') return { state, unanswered };
  return {
    state,
    credential: credentialOf(state, trunk),
    foreignNumbers: await ask(() => foreignNumbers(client, state)),
    closedCountries: await ask(() => closedCountries(client, countries)),
    alerts: await ask(() => recentAlerts(client)),
    unanswered,
  };
}

function credentialOf(state: TwilioState, trunk: Trunk): TwilioFacts['credential'] {
  if (!trunk.twilio) return undefined;
  const { accountSid, authToken } = trunk.twilio;
  const { username } = derivedCredentials(accountSid, authToken, trunk.name);
  if (!state.credentials.some((it) => it.username === username)) return 'missing';
  return state.credentialList?.bound === true ? 'bound' : 'unbound';
}

async function foreignNumbers(client: TwilioClient, state: TwilioState): Promise<number[]> {
  const suspects = state.numbers.filter(({ sid }) => sid === undefined);
  if (suspects.length === 0) return [];
  const verified = await askTwilio('list the verified caller ids', () =>
    client.api.v2010.accounts(client.accountSid).outgoingCallerIds.list({ limit: 1000 }),
  );
  const known = new Set(verified.map(({ phoneNumber }) => phoneNumber));
  return suspects
    .filter(({ number }) => !known.has(number))
    .map((suspect) => state.numbers.indexOf(suspect) + 1);
}

async function closedCountries(
  client: TwilioClient,
  countries: readonly string[],
): Promise<string[]> {
  const closed: string[] = [];
  for (const country of new Set(countries)) {
    const permission = await askTwilio('show the geo permissions', () =>
      client.voice.v1.dialingPermissions.countries(country).fetch(),
    );
    if (!permission.lowRiskNumbersEnabled) closed.push(country);
  }
  return closed;
}

async function recentAlerts(client: TwilioClient): Promise<TwilioAlert[]> {
  const alerts = await askTwilio('list its alerts', () =>
    client.monitor.v1.alerts.list({ startDate: new Date(Date.now() - ALERTS_OF_MS), limit: 200 }),
  );
  const found = new Map<number, TwilioAlert>();
  for (const { dateCreated, errorCode } of alerts) {
    const code = Number(errorCode);
    const time = dateCreated.toISOString();
    const { count, latest } = found.get(code) ?? { count: 0, latest: time };
    found.set(code, { code, count: count + 1, latest: time > latest ? time : latest });
  }
  return [...found.values()];
}
