import type { TwilioClient } from './twilio-client.ts';
import { askTwilio } from './twilio-error.ts';
import type { TwilioPlan, TwilioStep, TwilioWish } from './twilio-plan.ts';

/** Sids that later steps need of earlier ones. */
type Sids = { trunk: string; credentialList: string };

/**
 * Makes the account what the plan says, step by step; a run that fails between two steps leaves what the next
 * run completes. Credentials of an earlier auth token stay until `forgetStaleCredentials`, so that calls
 * go on until livekit-sip has the new ones.
 *
 * @throws {OperatorError} naming the step that Twilio refused
 */
export async function applyTwilio(client: TwilioClient, plan: TwilioPlan): Promise<void> {
  const sids: Sids = { trunk: '', credentialList: '' };
  for (const step of plan.steps) {
    if (step.object === 'trunk') sids.trunk = await applyTrunk(client, step, plan.wanted);
    else if (step.object === 'credential_list') {
      sids.credentialList = await applyCredentialList(client, step, plan.wanted);
    } else if (step.action === 'create' || step.action === 'update') {
      await applyPart(client, step, plan.wanted, sids);
    } else if (step.action === 'delete' && step.object === 'origination_url') {
      await askTwilio('delete an origination URL', () =>
        client.trunking.v1
          .trunks(sids.trunk)
          .originationUrls(step.id ?? '')
          .remove(),
      );
    }
  }
}

/** Deletes the credentials that an earlier auth token made. */
export async function forgetStaleCredentials(
  client: TwilioClient,
  plan: TwilioPlan,
): Promise<void> {
  const list = plan.steps.find(({ object }) => object === 'credential_list')?.id;
  for (const { object, action, id } of plan.steps) {
    if (object !== 'credential' || action !== 'delete' || list === undefined) continue;
    await askTwilio('delete an old credential', () =>
      credentialLists(client)(list)
        .credentials(id ?? '')
        .remove(),
    );
  }
}

async function applyTrunk(
  client: TwilioClient,
  { action, changes, id }: TwilioStep,
  { domain, name, secure }: TwilioWish,
): Promise<string> {
  if (id === undefined) {
    const made = await askTwilio('create the trunk', () =>
      client.trunking.v1.trunks.create({ friendlyName: name, domainName: domain, secure }),
    );
    return made.sid;
  }
  if (action === 'update') {
    await askTwilio('change the trunk', () =>
      client.trunking.v1.trunks(id).update({
        ...(changes.includes('friendlyName') ? { friendlyName: name } : {}),
        ...(changes.includes('domainName') ? { domainName: domain } : {}),
        ...(changes.includes('secure') ? { secure } : {}),
      }),
    );
  }
  return id;
}

async function applyCredentialList(
  client: TwilioClient,
  { id }: TwilioStep,
  { name }: TwilioWish,
): Promise<string> {
  if (id !== undefined) return id;
  const made = await askTwilio('create the credential list', () =>
    credentialLists(client).create({ friendlyName: name }),
  );
  return made.sid;
}

async function applyPart(
  client: TwilioClient,
  { action, id, object }: TwilioStep,
  wanted: TwilioWish,
  sids: Sids,
): Promise<void> {
  const trunk = client.trunking.v1.trunks(sids.trunk);
  switch (object) {
    case 'credential':
      await askTwilio('create the credential', () =>
        credentialLists(client)(sids.credentialList).credentials.create(wanted.credentials),
      );
      break;
    case 'credential_list_binding':
      await askTwilio('bind the credential list to the trunk', () =>
        trunk.credentialsLists.create({ credentialListSid: sids.credentialList }),
      );
      break;
    case 'origination_url': {
      const settings = { enabled: true, sipUrl: wanted.originationUrl ?? '' };
      if (action === 'update') {
        await askTwilio('change the origination URL', () =>
          trunk.originationUrls(id ?? '').update(settings),
        );
        break;
      }
      await askTwilio('create the origination URL', () =>
        trunk.originationUrls.create({
          ...settings,
          friendlyName: wanted.name,
          priority: 10,
          weight: 10,
        }),
      );
      break;
    }
    case 'number_binding':
      await askTwilio('bind the number to the trunk', () =>
        trunk.phoneNumbers.create({ phoneNumberSid: id ?? '' }),
      );
      break;
    case 'trunk':
    case 'credential_list':
      break;
  }
}

function credentialLists(client: TwilioClient) {
  return client.api.v2010.accounts(client.accountSid).sip.credentialLists;
}
