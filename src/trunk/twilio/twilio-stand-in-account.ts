import { randomBytes } from 'node:crypto';

type Row = Record<string, unknown> & { sid: string };
type Answer = { status: number; body: unknown };

/** The content of the stand-in's account; tests change it as the world would. */
export type FakeAccount = {
  readonly sid: string;
  readonly authorization: string;
  status: 'active' | 'suspended' | 'closed';
  type: 'Full' | 'Trial';
  trunks: Row[];
  credentialLists: Row[];
  credentials: (Row & { list: string; password: string })[];
  bindings: (Row & { trunk: string })[];
  originations: (Row & { trunk: string })[];
  numbers: Row[];
  callerIds: Row[];
  /** ISO codes of the countries that may be called. */
  countries: string[];
  alerts: Row[];
  handle: (
    method: string,
    path: string,
    query: URLSearchParams,
    form: URLSearchParams,
  ) => Answer | undefined;
};

export function newSid(prefix: string): string {
  return prefix + randomBytes(16).toString('hex');
}

/** A new account with nothing in it. */
export function fakeTwilioAccount(sid: string, authToken: string): FakeAccount {
  const account: FakeAccount = {
    sid,
    authorization: `Basic ${Buffer.from(`${sid}:${authToken}`).toString('base64')}`,
    status: 'active',
    type: 'Full',
    trunks: [],
    credentialLists: [],
    credentials: [],
    bindings: [],
    originations: [],
    numbers: [],
    callerIds: [],
    countries: ['US'],
    alerts: [],
    handle: (method, path, query, form) => {
      for (const [pattern, route] of routes) {
        const match = pattern.exec(path);
        const answer = match && route(account, method, match.slice(1), form, query);
        if (answer) return answer;
      }
      return undefined;
    },
  };
  return account;
}

type Route = (
  account: FakeAccount,
  method: string,
  ids: string[],
  form: URLSearchParams,
  query: URLSearchParams,
) => Answer | undefined;

const ok = (body: unknown): Answer => ({ status: 200, body });
const page = (key: string, rows: readonly unknown[]): Answer =>
  ok({
    [key]: rows,
    next_page_uri: null,
    meta: { key, next_page_url: null, page: 0, page_size: 50 },
  });

const A = '^/2010-04-01/Accounts/AC[0-9a-fA-F]{32}';

const routes: readonly (readonly [RegExp, Route])[] = [
  [/^\/2010-04-01\/Accounts\/(AC\w+)\.json$/, ({ sid, status, type }) => ok({ sid, status, type })],
  [
    /^\/v1\/Trunks$/,
    (account, method, _, form) => {
      if (method === 'GET') return page('trunks', account.trunks);
      return created(account.trunks, {
        sid: newSid('TK'),
        friendly_name: form.get('FriendlyName'),
        domain_name: form.get('DomainName'),
        secure: form.get('Secure') === 'true',
      });
    },
  ],
  [
    /^\/v1\/Trunks\/(TK\w+)$/,
    (account, method, [sid], form) => {
      const trunk = account.trunks.find((it) => it.sid === sid);
      if (!trunk || method !== 'POST') return trunk && ok(trunk);
      if (form.has('FriendlyName')) trunk['friendly_name'] = form.get('FriendlyName');
      if (form.has('DomainName')) trunk['domain_name'] = form.get('DomainName');
      if (form.has('Secure')) trunk['secure'] = form.get('Secure') === 'true';
      return ok(trunk);
    },
  ],
  [
    /^\/v1\/Trunks\/(TK\w+)\/CredentialLists$/,
    (account, method, [trunk = ''], form) => {
      if (method === 'GET') {
        return page(
          'credential_lists',
          account.bindings.filter((it) => it.trunk === trunk),
        );
      }
      return created(account.bindings, { sid: form.get('CredentialListSid') ?? '', trunk });
    },
  ],
  [
    /^\/v1\/Trunks\/(TK\w+)\/OriginationUrls$/,
    (account, method, [trunk = ''], form) => {
      if (method === 'GET') {
        return page(
          'origination_urls',
          account.originations.filter((it) => it.trunk === trunk),
        );
      }
      return created(account.originations, {
        sid: newSid('OU'),
        trunk,
        friendly_name: form.get('FriendlyName'),
        sip_url: form.get('SipUrl'),
        enabled: form.get('Enabled') === 'true',
      });
    },
  ],
  [
    /^\/v1\/Trunks\/TK\w+\/OriginationUrls\/(OU\w+)$/,
    (account, method, [sid = ''], form) => {
      if (method === 'DELETE') return removed(account.originations, sid);
      const url = account.originations.find((it) => it.sid === sid);
      if (!url) return undefined;
      if (form.has('SipUrl')) url['sip_url'] = form.get('SipUrl');
      if (form.has('Enabled')) url['enabled'] = form.get('Enabled') === 'true';
      return ok(url);
    },
  ],
  [
    /^\/v1\/Trunks\/(TK\w+)\/PhoneNumbers$/,
    (account, _method, [trunk], form) => {
      const number = account.numbers.find((it) => it.sid === form.get('PhoneNumberSid'));
      if (!number) return undefined;
      number['trunk_sid'] = trunk;
      return { status: 201, body: number };
    },
  ],
  [
    new RegExp(`${A}/SIP/CredentialLists\\.json$`),
    (account, method, _, form) => {
      if (method === 'GET') return page('credential_lists', account.credentialLists);
      return created(account.credentialLists, {
        sid: newSid('CL'),
        friendly_name: form.get('FriendlyName'),
      });
    },
  ],
  [
    new RegExp(`${A}/SIP/CredentialLists/(CL\\w+)/Credentials\\.json$`),
    (account, method, [list = ''], form) => {
      if (method === 'GET') {
        const rows = account.credentials.filter((it) => it.list === list);
        return page(
          'credentials',
          rows.map(({ sid, username }) => ({ sid, username })),
        );
      }
      const password = form.get('Password') ?? '';
      return created(account.credentials, {
        sid: newSid('CR'),
        list,
        username: form.get('Username'),
        password,
      });
    },
  ],
  [
    new RegExp(`${A}/SIP/CredentialLists/CL\\w+/Credentials/(CR\\w+)\\.json$`),
    (account, method, [sid = '']) =>
      method === 'DELETE' ? removed(account.credentials, sid) : undefined,
  ],
  [
    new RegExp(`${A}/IncomingPhoneNumbers\\.json$`),
    (account, _method, _ids, _form, query) => {
      const wanted = query.get('PhoneNumber');
      const rows = account.numbers.filter((it) => wanted === null || it['phone_number'] === wanted);
      return page('incoming_phone_numbers', rows);
    },
  ],
  [
    new RegExp(`${A}/OutgoingCallerIds\\.json$`),
    ({ callerIds }) => page('outgoing_caller_ids', callerIds),
  ],
  [
    /^\/v1\/DialingPermissions\/Countries\/([A-Z]{2})$/,
    ({ countries }, _method, [iso = '']) =>
      ok({ iso_code: iso, low_risk_numbers_enabled: countries.includes(iso) }),
  ],
  [/^\/v1\/Alerts$/, ({ alerts }) => page('alerts', alerts)],
];

function created<T extends Row>(rows: T[], row: T): Answer {
  rows.push(row);
  return { status: 201, body: row };
}

function removed(rows: Row[], sid: string): Answer | undefined {
  const index = rows.findIndex((it) => it.sid === sid);
  if (index < 0) return undefined;
  rows.splice(index, 1);
  return { status: 204, body: undefined };
}
