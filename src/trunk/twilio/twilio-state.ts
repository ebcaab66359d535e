import type { Trunk } from '../trunk.ts';
import type { TwilioClient } from './twilio-client.ts';
import { askTwilio } from './twilio-error.ts';
import { friendlyName, terminationDomain } from './twilio-names.ts';

/** What a Twilio account holds of a trunk of ours. */
export type TwilioState = {
  account: { status: string; type: string };
  trunk?: { sid: string; name: string; domain: string | undefined; secure: boolean } | undefined;
  credentialList?: { sid: string; bound: boolean } | undefined;
  credentials: { sid: string; username: string }[];
  originations: { sid: string; name: string; url: string; enabled: boolean }[];
  numbers: TwilioNumber[];
};

export type TwilioNumber = {
  number: string;
  /** Absent where the account does not own the number. */
  sid?: string | undefined;
  /** Elastic SIP trunk to which it is bound now, with its name where the account can see it. */
  boundTo?: { sid: string; name: string | undefined } | undefined;
  /** A webhook that answers it now and that a binding would silence. */
  webhook?: string | undefined;
};

/** @throws {OperatorError} where Twilio refuses or cannot be reached */
export async function readTwilio(client: TwilioClient, trunk: Trunk): Promise<TwilioState> {
  const name = friendlyName(trunk.name);
  const account = await askTwilio('show the account', () =>
    client.api.v2010.accounts(client.accountSid).fetch(),
  );
  const status = { status: account.status, type: account.type };
  const empty: TwilioState = { account: status, credentials: [], originations: [], numbers: [] };
  // A suspended account answers nothing else.
  if (account.status !== 'active') return empty;

  const trunks = await askTwilio('list the trunks', () => client.trunking.v1.trunks.list());
  const domain = terminationDomain(client.accountSid, trunk.name);
  const ours = trunks
    .filter((it) =>
      trunk.twilio?.adopt === undefined
        ? it.friendlyName === name || it.domainName === domain
        : it.sid === trunk.twilio.adopt,
    )
    .sort((a, b) => rank(b, domain) - rank(a, domain) || (a.sid < b.sid ? -1 : 1))[0];

  const lists = await askTwilio('list the credential lists', () =>
    client.api.v2010.accounts(client.accountSid).sip.credentialLists.list(),
  );
  const list = lists.filter((it) => it.friendlyName === name).sort(bySid)[0];
  const credentials = list
    ? await askTwilio('list the credentials', () =>
        client.api.v2010
          .accounts(client.accountSid)
          .sip.credentialLists(list.sid)
          .credentials.list(),
      )
    : [];
  const trunkContext = ours && client.trunking.v1.trunks(ours.sid);
  const bound = trunkContext
    ? await askTwilio("list the trunk's credential lists", () =>
        trunkContext.credentialsLists.list(),
      )
    : [];
  const originations = trunkContext
    ? await askTwilio("list the trunk's origination URLs", () =>
        trunkContext.originationUrls.list(),
      )
    : [];
  const trunkNames = new Map(trunks.map((it) => [it.sid, it.friendlyName]));
  const numbers: TwilioNumber[] = [];
  for (const { number } of trunk.numbers) {
    numbers.push(await readNumber(client, number, trunkNames));
  }
  return {
    account: status,
    trunk: ours && {
      sid: ours.sid,
      name: ours.friendlyName,
      domain: ours.domainName === '' ? undefined : (ours.domainName ?? undefined),
      secure: ours.secure,
    },
    credentialList: list && { sid: list.sid, bound: bound.some(({ sid }) => sid === list.sid) },
    credentials: credentials.map(({ sid, username }) => ({ sid, username })),
    originations: originations.map((it) => ({
      sid: it.sid,
      name: it.friendlyName,
      url: it.sipUrl,
      enabled: it.enabled,
    })),
    numbers,
  };
}

async function readNumber(
  client: TwilioClient,
  number: string,
  trunkNames: ReadonlyMap<string, string>,
): Promise<TwilioNumber> {
  const owned = await askTwilio('list the numbers', () =>
    client.api.v2010
      .accounts(client.accountSid)
      .incomingPhoneNumbers.list({ phoneNumber: number, limit: 20 }),
  );
  const found = owned.find(({ phoneNumber }) => phoneNumber === number);
  if (!found) return { number };
  // Twilio gives an empty text, or null, for what is not set.
  const trunkSid = found.trunkSid === '' ? null : found.trunkSid;
  const webhook = found.voiceUrl === '' ? null : found.voiceUrl;
  return {
    number,
    sid: found.sid,
    boundTo: trunkSid === null ? undefined : { sid: trunkSid, name: trunkNames.get(trunkSid) },
    // A new number plays Twilio's demo.
    webhook: webhook === null || webhook.includes('demo.twilio.com') ? undefined : webhook,
  };
}

function rank(trunk: { domainName: string | null }, domain: string): number {
  return trunk.domainName === domain ? 1 : 0;
}

function bySid(a: { sid: string }, b: { sid: string }): number {
  return a.sid < b.sid ? -1 : 1;
}
