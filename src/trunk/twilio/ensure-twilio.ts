import { asError, OperatorError } from '../../platform/errors.ts';
import type { Finding, PlanLine } from '../plan.ts';
import type { SipCredentials, Trunk, TwilioAccount } from '../trunk.ts';
import { applyTwilio, forgetStaleCredentials } from './twilio-apply.ts';
import type { TwilioClient } from './twilio-client.ts';
import { derivedCredentials } from './twilio-names.ts';
import { planTwilio, wishOf } from './twilio-plan.ts';
import { readTwilio } from './twilio-state.ts';

export type TwilioOutcome = {
  /** The trunk as livekit-sip must use it; undefined where that is unknown and LiveKit's must stay. */
  trunk: Trunk | undefined;
  lines: PlanLine[];
  findings: Finding[];
  /** To be called when livekit-server has the new credentials. */
  finish: () => Promise<void>;
};

/**
 * Makes, or with `dryRun` only plans, the Twilio side of a trunk. What Twilio refuses becomes a finding: the
 * other trunks must not wait for it.
 */
export async function ensureTwilio(
  client: TwilioClient,
  trunk: Trunk,
  account: TwilioAccount,
  options: { originationUrl: string | undefined; dryRun: boolean },
): Promise<TwilioOutcome> {
  const credentials = derivedCredentials(account.accountSid, account.authToken, trunk.name);
  const lines: PlanLine[] = [];
  try {
    const wanted = wishOf(trunk, account.accountSid, credentials, options.originationUrl);
    const plan = planTwilio(trunk, wanted, await readTwilio(client, trunk));
    lines.push(
      ...plan.steps.map((step): PlanLine => ({ where: 'twilio', trunk: trunk.name, ...step })),
    );
    const { address, findings } = plan;
    if (!options.dryRun) await applyTwilio(client, plan);
    return {
      lines,
      findings,
      trunk: address === undefined ? known(trunk, credentials) : { ...trunk, address, credentials },
      finish: () => (options.dryRun ? Promise.resolve() : forgetStaleCredentials(client, plan)),
    };
  } catch (thrown) {
    return {
      lines,
      findings: [refusal(trunk, thrown)],
      trunk: known(trunk, credentials),
      finish: () => Promise.resolve(),
    };
  }
}

/** What is certain without asking: all of a trunk that we make, not the domain of one that we adopt. */
function known(trunk: Trunk, credentials: SipCredentials): Trunk | undefined {
  return trunk.twilio?.adopt === undefined ? { ...trunk, credentials } : undefined;
}

function refusal(trunk: Trunk, thrown: unknown): Finding {
  return {
    severity: 'problem',
    trunk: trunk.name,
    message: asError(thrown).message,
    remedy: thrown instanceof OperatorError ? thrown.remedy : undefined,
  };
}
