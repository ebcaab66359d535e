import { describe, expect, it } from 'vitest';
import { aTrunk } from '../trunk-fixture.ts';
import { addressDiagnoses } from './address-diagnoses.ts';
import { announcedIn } from './announced-address.ts';
import { diagnose, type TrunkEvidence } from './diagnose.ts';
import type { RecentCall } from './recent-calls.ts';
import type { TwilioFacts } from './twilio-facts.ts';

const AT = '2026-11-21T09:00:00.000Z';
const call = (sip_status: number | null, changes: Partial<RecentCall> = {}): RecentCall => ({
  trunk: 'office',
  outcome: sip_status === null ? 'completed' : 'failed',
  sip_status,
  reason: null,
  to: '+12025550199',
  started_at: AT,
  ...changes,
});

const wellTwilio: TwilioFacts = {
  state: {
    account: { status: 'active', type: 'Full' },
    credentials: [],
    originations: [],
    numbers: [],
  },
  credential: 'bound',
  foreignNumbers: [],
  closedCountries: [],
  alerts: [],
  unanswered: [],
};

const evidence = (changes: Partial<TrunkEvidence>): TrunkEvidence => ({
  trunk: aTrunk(),
  calls: [],
  pulse: { answered: true, status: 200, afterMs: 30 },
  ...changes,
});

const causes = (changes: Partial<TrunkEvidence>) =>
  diagnose(evidence(changes)).map(({ cause }) => cause);

describe('a 403 over Twilio', () => {
  const with403 = (twilio: Partial<TwilioFacts>) =>
    diagnose(evidence({ calls: [call(403)], twilio: { ...wellTwilio, ...twilio } }));

  it.each<[string, Partial<TwilioFacts>]>([
    ['wrong_password', { credential: 'missing' }],
    ['wrong_password', { alerts: [{ code: 32_202, count: 3, latest: AT }] }],
    ['address_not_allowed', { alerts: [{ code: 32_201, count: 1, latest: AT }] }],
    ['caller_id_not_owned', { foreignNumbers: [1] }],
    ['caller_id_not_owned', { alerts: [{ code: 32_204, count: 1, latest: AT }] }],
    ['destination_not_enabled', { closedCountries: ['DE'] }],
    ['trial_account', { alerts: [{ code: 32_100, count: 1, latest: AT }] }],
    [
      'suspended_account',
      { state: { ...wellTwilio.state!, account: { status: 'suspended', type: 'Full' } } },
    ],
    [
      'trial_account',
      { state: { ...wellTwilio.state!, account: { status: 'active', type: 'Trial' } } },
    ],
  ])('is caused by %s where the account shows it', (cause, twilio) => {
    const found = with403(twilio);
    expect(found.map((it) => it.cause)).toEqual([cause]);
    expect(found[0]?.evidence.length).toBeGreaterThan(1);
    expect(found[0]?.evidence.at(-1)).toContain('1 of the last 1 calls over office ended with 403');
  });

  it('is unknown where the account shows nothing, and says what was looked at', () => {
    const [found, ...more] = with403({});
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      cause: 'unknown',
      sentence: expect.stringMatching(/no evidence why/),
    });
    expect(found?.sentence).toMatch(/it is active, the credential is bound/);
  });

  it('is unknown where the account could not be asked, and says why', () => {
    const [found] = with403({
      state: undefined,
      unanswered: ['Twilio refused to show the account'],
    });
    expect(found).toMatchObject({
      cause: 'unknown',
      sentence: expect.stringMatching(/could not be asked: Twilio refused/),
    });
  });
});

describe('a 403 over another carrier', () => {
  it('is the destination where other countries are reached', () => {
    const calls = [call(403, { to: '+4930123456' }), call(null)];
    expect(diagnose(evidence({ calls }))).toMatchObject([
      {
        cause: 'destination_not_enabled',
        evidence: [
          expect.stringMatching(/calls to DE end with 403, calls to US are completed/),
          expect.anything(),
        ],
      },
    ]);
  });

  it('is our address where even an OPTIONS is refused', () => {
    const pulse = { answered: true, status: 403, afterMs: 1 } as const;
    expect(causes({ calls: [call(403)], pulse })).toEqual(['address_not_allowed']);
  });

  it('is unknown without evidence', () => {
    expect(causes({ calls: [call(403), call(null)] })).toEqual(['unknown']);
  });
});

describe('other ends of calls', () => {
  it.each([
    [407, 'wrong_password'],
    [404, 'number_unknown'],
    [488, 'no_common_codec'],
    [503, 'trunk_overloaded'],
    [408, 'trunk_silent'],
  ])('%i is %s', (status, cause) => {
    expect(causes({ calls: [call(status)] })).toEqual([cause]);
  });

  it('that belong to the callee are no fault of the trunk', () => {
    const calls = [
      call(486, { outcome: 'busy' }),
      call(480, { outcome: 'no_answer' }),
      call(408, { outcome: 'no_answer' }),
    ];
    expect(causes({ calls })).toEqual([]);
  });

  it('hold no number in what is said of them', () => {
    const calls = [call(403), call(404), call(407)];
    expect(JSON.stringify(diagnose(evidence({ calls })))).not.toContain('2025550199');
  });
});

describe('a trunk that does not answer', () => {
  it('is told before any call was made', () => {
    const pulse = { answered: false, reason: 'no answer came' } as const;
    expect(diagnose(evidence({ pulse }))).toMatchObject([
      { symptom: 'silence', cause: 'trunk_silent' },
    ]);
  });
});

describe('the announced address', () => {
  const invite = [
    'INVITE sip:+1@127.0.0.1 SIP/2.0',
    'Contact: <sip:trunkline@10.0.0.5:5060;transport=udp>',
    '',
    'v=0',
    'c=IN IP4 198.51.100.4',
    '',
  ].join('\r\n');

  it('is read from Contact and SDP', () => {
    expect(announcedIn(invite)).toEqual({
      ok: true,
      signalling: '10.0.0.5',
      media: '198.51.100.4',
    });
    expect(announcedIn('INVITE sip:x SIP/2.0\r\n\r\n')).toMatchObject({ ok: false });
  });

  it('is wrong where others reach this machine elsewhere', () => {
    const found = addressDiagnoses(announcedIn(invite), {
      address: '198.51.100.4',
      source: 'PUBLIC_IP',
    });
    expect(found).toMatchObject([
      {
        cause: 'wrong_announced_address',
        sentence: expect.stringMatching(/private address for signalling/),
        evidence: [
          'livekit-sip announces 10.0.0.5 for signalling (Contact)',
          expect.stringContaining('PUBLIC_IP'),
        ],
      },
    ]);
  });

  it('is not judged where our own address is unknown', () => {
    expect(addressDiagnoses(announcedIn(invite), undefined)).toEqual([]);
  });
});
