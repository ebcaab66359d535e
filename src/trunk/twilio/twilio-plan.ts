import type { Finding, PlanAction } from '../plan.ts';
import { isPrivate } from '../public-address.ts';
import type { SipCredentials, Trunk } from '../trunk.ts';
import { friendlyName, terminationDomain, usernamePrefix } from './twilio-names.ts';
import type { TwilioNumber, TwilioState } from './twilio-state.ts';

/** One change in the account, in the order in which they are made. */
export type TwilioStep = {
  object:
    | 'trunk'
    | 'credential_list'
    | 'credential'
    | 'credential_list_binding'
    | 'origination_url'
    | 'number_binding';
  action: PlanAction;
  /** Sid of the object; for a binding, of the number that is bound. */
  id?: string | undefined;
  changes: string[];
};

export type TwilioPlan = {
  steps: TwilioStep[];
  findings: Finding[];
  /** Where livekit-sip sends calls; undefined where the account does not tell. */
  address: string | undefined;
  wanted: TwilioWish;
};

export type TwilioWish = {
  name: string;
  domain: string;
  secure: boolean;
  credentials: SipCredentials;
  /** Where Twilio sends inbound calls; undefined where our own address is unknown. */
  originationUrl: string | undefined;
};

/** What should stand in the account for a trunk. */
export function wishOf(
  trunk: Trunk,
  accountSid: string,
  credentials: SipCredentials,
  originationUrl: string | undefined,
): TwilioWish {
  return {
    name: friendlyName(trunk.name),
    domain: terminationDomain(accountSid, trunk.name),
    secure: trunk.transport === 'tls' && trunk.mediaEncryption === 'require',
    credentials,
    originationUrl,
  };
}

/**
 * The difference between what the account should hold and what it holds. What an interrupted run left is
 * found by its names and completed. A number that another trunk has is left to it, and reported.
 */
export function planTwilio(trunk: Trunk, wanted: TwilioWish, state: TwilioState): TwilioPlan {
  const findings: Finding[] = accountFindings(trunk, state);
  if (state.account.status !== 'active') {
    return { steps: [], findings, address: state.trunk?.domain, wanted };
  }
  const adopt = trunk.twilio?.adopt;
  if (adopt !== undefined && !state.trunk) {
    findings.push({
      severity: 'problem',
      trunk: trunk.name,
      message: `The Twilio account has no Elastic SIP trunk ${adopt}, which trunks.yaml says to adopt.`,
      remedy: 'correct twilio.adopt, or remove it and let ensure make a trunk',
    });
    return { steps: [], findings, address: undefined, wanted };
  }
  const steps = [
    trunkStep(trunk, wanted, state),
    ...credentialSteps(trunk, wanted, state),
    ...originationSteps(trunk, wanted, state, findings),
    ...state.numbers.flatMap((number) => numberSteps(trunk, number, state, findings)),
  ];
  const address = adopt === undefined ? wanted.domain : (state.trunk?.domain ?? wanted.domain);
  return { steps, findings, address, wanted };
}

function accountFindings(trunk: Trunk, { account }: TwilioState): Finding[] {
  if (account.status !== 'active') {
    return [
      {
        severity: 'problem',
        trunk: trunk.name,
        message: `The Twilio account is ${account.status}: it can neither call nor be called.`,
        remedy: 'see the account in the Twilio console: an unpaid balance or a review suspends it',
      },
    ];
  }
  if (account.type !== 'Trial') return [];
  return [
    {
      severity: 'note',
      trunk: trunk.name,
      message:
        'This is a trial account: Twilio lets it call only numbers that are verified in its console.',
      remedy: 'verify the numbers you test with, or upgrade the account',
    },
  ];
}

function trunkStep(trunk: Trunk, wanted: TwilioWish, { trunk: existing }: TwilioState): TwilioStep {
  if (!existing) return { object: 'trunk', action: 'create', changes: [] };
  const changes: string[] = [];
  if (trunk.twilio?.adopt === undefined) {
    if (existing.name !== wanted.name) changes.push('friendlyName');
    if (existing.domain !== wanted.domain) changes.push('domainName');
    if (existing.secure !== wanted.secure) changes.push('secure');
  } else if (existing.domain === undefined) {
    changes.push('domainName');
  }
  const action = changes.length > 0 ? 'update' : 'keep';
  return { object: 'trunk', action, id: existing.sid, changes };
}

function credentialSteps(trunk: Trunk, wanted: TwilioWish, state: TwilioState): TwilioStep[] {
  const list = state.credentialList;
  const current = state.credentials.find(
    ({ username }) => username === wanted.credentials.username,
  );
  // Those that an earlier auth token made.
  const stale = state.credentials.filter(
    ({ username }) =>
      username.startsWith(usernamePrefix(trunk.name)) && username !== wanted.credentials.username,
  );
  return [
    {
      object: 'credential_list',
      action: list ? 'keep' : 'create',
      id: list?.sid,
      changes: [],
    },
    {
      object: 'credential',
      action: current ? 'keep' : 'create',
      id: current?.sid,
      changes: [],
    },
    {
      object: 'credential_list_binding',
      action: list?.bound === true ? 'keep' : 'create',
      changes: [],
    },
    ...stale.map(({ sid }): TwilioStep => ({
      object: 'credential',
      action: 'delete',
      id: sid,
      changes: [],
    })),
  ];
}

function originationSteps(
  trunk: Trunk,
  { name, originationUrl }: TwilioWish,
  state: TwilioState,
  findings: Finding[],
): TwilioStep[] {
  if (originationUrl === undefined) {
    findings.push({
      severity: 'problem',
      trunk: trunk.name,
      message:
        'The public address of this machine is unknown, so Twilio is not told where to send calls.',
      remedy: 'set PUBLIC_IP',
    });
    return [];
  }
  const host = /^sip:\[?([^\];]*?)\]?:\d+;/.exec(originationUrl)?.[1] ?? '';
  if (isPrivate(host)) {
    findings.push({
      severity: 'problem',
      trunk: trunk.name,
      message: `Twilio cannot reach ${host}: it is a private address.`,
      remedy: 'set PUBLIC_IP to the address under which the Internet reaches this machine',
    });
  }
  const [first, ...duplicates] = state.originations.filter((it) => it.name === name);
  const others = state.originations.filter((it) => it.name !== name && it.enabled);
  if (others.length > 0) {
    findings.push({
      severity: 'note',
      trunk: trunk.name,
      message: `The Twilio trunk also sends calls to ${others.length} other origination URL(s).`,
      remedy: 'disable them in the Twilio console if Trunkline is to answer all calls',
    });
  }
  const changes: string[] = [];
  if (first && first.url !== originationUrl) changes.push('sipUrl');
  if (first && !first.enabled) changes.push('enabled');
  const action = first ? (changes.length > 0 ? 'update' : 'keep') : 'create';
  return [
    { object: 'origination_url', action, id: first?.sid, changes },
    ...duplicates.map(({ sid }): TwilioStep => ({
      object: 'origination_url',
      action: 'delete',
      id: sid,
      changes: [],
    })),
  ];
}

function numberSteps(
  trunk: Trunk,
  number: TwilioNumber,
  state: TwilioState,
  findings: Finding[],
): TwilioStep[] {
  const label = `number ${trunk.numbers.findIndex((it) => it.number === number.number) + 1}`;
  if (number.sid === undefined) {
    findings.push({
      severity: 'problem',
      trunk: trunk.name,
      message: `The Twilio account does not own ${label} of the trunk.`,
      remedy:
        'buy the number in this account, or correct it; a number of a subaccount needs its own SID and token',
    });
    return [];
  }
  const { boundTo } = number;
  if (boundTo && boundTo.sid === state.trunk?.sid) {
    return [{ object: 'number_binding', action: 'keep', id: number.sid, changes: [] }];
  }
  if (boundTo) {
    findings.push({
      severity: 'problem',
      trunk: trunk.name,
      message:
        `The ${label} is bound to another Elastic SIP trunk, "${boundTo.name ?? '?'}" (${boundTo.sid}); ` +
        'taking it would end the calls that trunk receives, so it is left alone.',
      remedy: `to use that trunk, set twilio: { adopt: ${boundTo.sid} } in trunks.yaml; to move the number, remove it from that trunk in the Twilio console`,
    });
    return [];
  }
  if (number.webhook !== undefined) {
    findings.push({
      severity: 'note',
      trunk: trunk.name,
      message: `The ${label} was answered by the webhook ${number.webhook}; while it is bound to the trunk, Trunkline answers instead.`,
      remedy:
        'remove the number from the trunk in the Twilio console, and the webhook answers again',
    });
  }
  return [{ object: 'number_binding', action: 'create', id: number.sid, changes: [] }];
}
