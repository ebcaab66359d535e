import { afterEach, beforeEach, expect, it } from 'vitest';
import { aTrunk } from '../trunk-fixture.ts';
import { ensureTwilio } from '../twilio/ensure-twilio.ts';
import { connectTwilio, type TwilioClient } from '../twilio/twilio-client.ts';
import { TwilioStandIn } from '../twilio/twilio-stand-in.ts';
import { newSid } from '../twilio/twilio-stand-in-account.ts';
import { twilioCauses } from './twilio-causes.ts';
import { gatherTwilioFacts } from './twilio-facts.ts';

const ACCOUNT = { accountSid: `AC${'cd'.repeat(16)}`, authToken: 'a-token' };
const trunk = aTrunk({ name: 'twilio', provider: 'twilio', twilio: ACCOUNT });

let twilio: TwilioStandIn;
let client: TwilioClient;

beforeEach(async () => {
  twilio = new TwilioStandIn(ACCOUNT.accountSid, ACCOUNT.authToken);
  client = connectTwilio(ACCOUNT, await twilio.listen());
  twilio.account.numbers.push({
    sid: newSid('PN'),
    phone_number: '+12025550123',
    trunk_sid: null,
    voice_url: null,
  });
  await ensureTwilio(client, trunk, ACCOUNT, {
    originationUrl: 'sip:203.0.113.7:5060;transport=tcp',
    dryRun: false,
  });
});
afterEach(() => twilio.close());

const causes = async (countries = ['US']) =>
  twilioCauses(await gatherTwilioFacts(client, trunk, countries)).map(({ cause }) => cause);

it('shows nothing where the account is well', async () => {
  expect(await causes()).toEqual([]);
});

it('shows a missing credential, a country that is off, and a caller id that is not its own', async () => {
  twilio.account.credentials.length = 0;
  twilio.account.numbers.length = 0;
  expect(await causes(['US', 'DE'])).toEqual([
    'wrong_password',
    'caller_id_not_owned',
    'destination_not_enabled',
  ]);
});

it('takes a verified caller id for its own', async () => {
  twilio.account.numbers.length = 0;
  twilio.account.callerIds.push({ sid: newSid('PN'), phone_number: '+12025550123' });
  expect(await causes()).toEqual([]);
});

it('counts the errors that Twilio noted', async () => {
  const alert = { error_code: '32201', date_created: '2026-11-21T08:00:00Z' };
  twilio.account.alerts.push({ sid: newSid('NO'), ...alert }, { sid: newSid('NO'), ...alert });
  const facts = await gatherTwilioFacts(client, trunk, []);
  expect(facts.alerts).toEqual([{ code: 32_201, count: 2, latest: '2026-11-21T08:00:00.000Z' }]);
  expect(twilioCauses(facts)).toMatchObject([{ cause: 'address_not_allowed' }]);
});

it('shows a suspended account', async () => {
  twilio.account.status = 'suspended';
  expect(await causes()).toEqual(['suspended_account']);
});

it('goes on with what it may ask, and says what it may not', async () => {
  twilio.refuse('GET', /\/v1\/Alerts/, { status: 403, code: 20403, message: 'no' });
  twilio.account.countries.length = 0;
  const facts = await gatherTwilioFacts(client, trunk, ['US']);
  expect(facts.unanswered).toEqual([expect.stringMatching(/refused to list its alerts/)]);
  expect(twilioCauses(facts)).toMatchObject([{ cause: 'destination_not_enabled' }]);
});
