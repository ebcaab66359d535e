import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aTrunk } from '../trunk-fixture.ts';
import type { Trunk } from '../trunk.ts';
import { ensureTwilio, type TwilioOutcome } from './ensure-twilio.ts';
import { connectTwilio } from './twilio-client.ts';
import { derivedCredentials, terminationDomain } from './twilio-names.ts';
import { TwilioStandIn } from './twilio-stand-in.ts';
import { newSid } from './twilio-stand-in-account.ts';

const NUMBER = '+12025550123';
const ACCOUNT = { accountSid: `AC${'ab'.repeat(16)}`, authToken: 'a-token' };
const URL_OF_US = 'sip:203.0.113.7:5060;transport=tcp';

const trunk: Trunk = aTrunk({
  name: 'twilio',
  provider: 'twilio',
  transport: 'tcp',
  address: terminationDomain(ACCOUNT.accountSid, 'twilio'),
  numbers: [{ number: NUMBER, personality: 'receptionist' }],
  twilio: ACCOUNT,
});

let twilio: TwilioStandIn;
let base: string;

beforeEach(async () => {
  twilio = new TwilioStandIn(ACCOUNT.accountSid, ACCOUNT.authToken);
  base = await twilio.listen();
  twilio.account.numbers.push({
    sid: newSid('PN'),
    phone_number: NUMBER,
    trunk_sid: null,
    voice_url: 'https://demo.twilio.com/welcome/voice/',
  });
});
afterEach(() => twilio.close());

async function ensure(
  changes: { trunk?: Trunk; dryRun?: boolean; url?: string | undefined; authToken?: string } = {},
): Promise<TwilioOutcome> {
  const account = { ...ACCOUNT, authToken: changes.authToken ?? ACCOUNT.authToken };
  const outcome = await ensureTwilio(
    connectTwilio(account, base),
    changes.trunk ?? trunk,
    { ...account, adopt: changes.trunk?.twilio?.adopt },
    { dryRun: changes.dryRun ?? false, originationUrl: 'url' in changes ? changes.url : URL_OF_US },
  );
  await outcome.finish();
  return outcome;
}

const problemsOf = ({ findings }: TwilioOutcome) =>
  findings.filter(({ severity }) => severity === 'problem').map(({ message }) => message);

function expectComplete() {
  const { account } = twilio;
  const [made] = account.trunks;
  const { username, password } = derivedCredentials(
    ACCOUNT.accountSid,
    ACCOUNT.authToken,
    'twilio',
  );
  expect(account.trunks).toMatchObject([
    { friendly_name: 'trunkline twilio', domain_name: trunk.address },
  ]);
  expect(account.credentialLists).toHaveLength(1);
  expect(account.credentials).toMatchObject([
    { username, password, list: account.credentialLists[0]?.sid },
  ]);
  expect(account.bindings).toMatchObject([
    { trunk: made?.sid, sid: account.credentialLists[0]?.sid },
  ]);
  expect(account.originations).toMatchObject([
    { trunk: made?.sid, sip_url: URL_OF_US, enabled: true },
  ]);
  expect(account.numbers[0]?.['trunk_sid']).toBe(made?.sid);
}

describe('ensure at Twilio', () => {
  it('makes everything from the three variables, and nothing the second time', async () => {
    const first = await ensure();
    expectComplete();
    expect(first.findings).toEqual([]);
    expect(first.trunk).toMatchObject({
      address: trunk.address,
      credentials: derivedCredentials(ACCOUNT.accountSid, ACCOUNT.authToken, 'twilio'),
    });
    twilio.requests.length = 0;
    const second = await ensure();
    expect(twilio.writes).toEqual([]);
    expect(second.lines.map(({ action }) => action)).toEqual(second.lines.map(() => 'keep'));
  });

  it('only shows a plan in a dry run', async () => {
    const { lines } = await ensure({ dryRun: true });
    expect(lines.map(({ action, object }) => `${action} ${object}`)).toEqual([
      'create trunk',
      'create credential_list',
      'create credential',
      'create credential_list_binding',
      'create origination_url',
      'create number_binding',
    ]);
    expect(twilio.writes).toEqual([]);
  });

  it.each([
    ['the trunk', /\/v1\/Trunks$/],
    ['the credential list', /\/SIP\/CredentialLists\.json$/],
    ['the credential', /\/Credentials\.json$/],
    ['the binding of the credential list', /\/Trunks\/\w+\/CredentialLists$/],
    ['the origination URL', /\/OriginationUrls$/],
    ['the binding of the number', /\/PhoneNumbers$/],
  ])('completes what a run left that failed at %s', async (_, path) => {
    const allow = twilio.refuse('POST', path, { status: 500, code: 20500, message: 'oops' });
    const failed = await ensure();
    expect(problemsOf(failed)).toEqual([expect.stringMatching(/Twilio refused to .*20500/)]);
    allow();
    expect(problemsOf(await ensure())).toEqual([]);
    expectComplete();
  });

  it('follows a public address that has changed', async () => {
    await ensure();
    await ensure({ url: 'sip:203.0.113.8:5060;transport=tcp' });
    expect(twilio.account.originations).toMatchObject([
      { sip_url: 'sip:203.0.113.8:5060;transport=tcp' },
    ]);
  });

  it('repairs what somebody changed by hand', async () => {
    await ensure();
    const [made] = twilio.account.trunks;
    if (made) made['domain_name'] = 'other.pstn.twilio.com';
    twilio.account.originations[0]!['enabled'] = false;
    twilio.account.bindings.length = 0;
    await ensure();
    expectComplete();
  });

  it('replaces the credential when the auth token was rotated, and deletes the old one last', async () => {
    await ensure();
    const rotated = new TwilioStandIn(ACCOUNT.accountSid, 'new-token').account.authorization;
    Object.assign(twilio.account, { authorization: rotated });
    twilio.requests.length = 0;
    const { trunk: after } = await ensure({ authToken: 'new-token' });
    expect(twilio.writes.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
    expect(twilio.account.credentials).toMatchObject([after?.credentials ?? {}]);
  });

  it('leaves a number that another trunk has, and says how to get it', async () => {
    const other = {
      sid: newSid('TK'),
      friendly_name: 'PBX',
      domain_name: 'pbx.pstn.twilio.com',
      secure: false,
    };
    twilio.account.trunks.push(other);
    twilio.account.numbers[0]!['trunk_sid'] = other.sid;
    const outcome = await ensure();
    expect(problemsOf(outcome)).toEqual([expect.stringContaining(`"PBX" (${other.sid})`)]);
    expect(outcome.findings[0]?.remedy).toContain(`adopt: ${other.sid}`);
    expect(twilio.account.numbers[0]?.['trunk_sid']).toBe(other.sid);
    expect(JSON.stringify(outcome.findings)).not.toContain('2025550123');
  });

  it('adopts a trunk that it is told to, without renaming it', async () => {
    const other = {
      sid: newSid('TK'),
      friendly_name: 'PBX',
      domain_name: 'pbx.pstn.twilio.com',
      secure: false,
    };
    twilio.account.trunks.push(other);
    twilio.account.numbers[0]!['trunk_sid'] = other.sid;
    const adopting = { ...trunk, twilio: { ...ACCOUNT, adopt: other.sid } };
    const outcome = await ensure({ trunk: adopting });
    expect(problemsOf(outcome)).toEqual([]);
    expect(outcome.trunk?.address).toBe('pbx.pstn.twilio.com');
    expect(twilio.account.trunks).toEqual([other]);
    expect(twilio.account.bindings).toHaveLength(1);
    twilio.requests.length = 0;
    await ensure({ trunk: adopting });
    expect(twilio.writes).toEqual([]);
  });

  it('does not know the address of a trunk to adopt that it cannot see', async () => {
    const outcome = await ensure({
      trunk: { ...trunk, twilio: { ...ACCOUNT, adopt: newSid('TK') } },
    });
    expect(problemsOf(outcome)).toEqual([expect.stringMatching(/has no Elastic SIP trunk TK/)]);
    expect(outcome.trunk).toBeUndefined();
    expect(twilio.writes).toEqual([]);
  });

  it('notes the webhook that a binding silences', async () => {
    twilio.account.numbers[0]!['voice_url'] = 'https://shop.example/voice';
    const { findings } = await ensure();
    expect(findings).toMatchObject([
      { severity: 'note', message: expect.stringContaining('https://shop.example/voice') },
    ]);
  });

  it('reports a number that the account does not own, and makes the rest', async () => {
    twilio.account.numbers.length = 0;
    expect(problemsOf(await ensure())).toEqual([expect.stringMatching(/does not own number 1/)]);
    expect(twilio.account.trunks).toHaveLength(1);
  });

  it('makes all for a trial account, and notes whom it can call', async () => {
    twilio.account.type = 'Trial';
    const { findings } = await ensure();
    expect(findings).toMatchObject([{ severity: 'note', message: expect.stringMatching(/trial/) }]);
    expectComplete();
  });

  it('changes nothing in a suspended account', async () => {
    twilio.account.status = 'suspended';
    expect(problemsOf(await ensure())).toEqual([expect.stringMatching(/account is suspended/)]);
    expect(twilio.writes).toEqual([]);
  });

  it('tells a wrong token from a missing permission', async () => {
    const wrong = await ensure({ authToken: 'wrong' });
    expect(wrong.findings).toMatchObject([
      { message: expect.stringMatching(/do not belong together.*20003/) },
    ]);
    twilio.refuse('GET', /\/v1\/Trunks$/, { status: 403, code: 20403, message: 'Forbidden' });
    const denied = await ensure();
    expect(denied.findings).toMatchObject([
      {
        message: expect.stringMatching(
          /refused to list the trunks: this account may not do it.*20403/,
        ),
      },
    ]);
  });

  it('reports an address that nobody can reach, or none', async () => {
    expect(problemsOf(await ensure({ url: 'sip:192.168.1.4:5060;transport=tcp' }))).toEqual([
      expect.stringMatching(/cannot reach 192\.168\.1\.4/),
    ]);
    expect(problemsOf(await ensure({ url: undefined }))).toEqual([
      expect.stringMatching(/public address of this machine is unknown/),
    ]);
  });
});

describe('the derived credential', () => {
  it('meets the rules of Twilio, is stable, and differs by trunk and token', () => {
    const { password, username } = derivedCredentials('AC1', 'token', 'a');
    expect(password).toMatch(/^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9]{24,}$/);
    expect(derivedCredentials('AC1', 'token', 'a')).toEqual({ password, username });
    expect(derivedCredentials('AC1', 'token', 'b').password).not.toBe(password);
    expect(derivedCredentials('AC1', 'other', 'a').username).not.toBe(username);
  });
});
