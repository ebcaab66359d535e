import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { SipClient } from 'livekit-server-sdk';
import type { Config } from '../platform/config.ts';
import { asError } from '../platform/errors.ts';
import type { Redis } from '../platform/redis.ts';
import { withEnsureLease } from './ensure-lease.ts';
import { applyLiveKit, readLiveKit } from './livekit-apply.ts';
import { objectsOf } from './livekit-objects.ts';
import { isSettled, planLiveKit, type LiveKitPlan } from './livekit-plan.ts';
import type { Finding, PlanLine } from './plan.ts';
import { findPublicAddress } from './public-address.ts';
import { isLocal, splitAddress, type Trunk } from './trunk.ts';
import { ensureTwilio, type TwilioOutcome } from './twilio/ensure-twilio.ts';
import { connectTwilio } from './twilio/twilio-client.ts';

export type EnsureDeps = { config: Config; trunks: readonly Trunk[]; sip: SipClient };

export type EnsureReport = {
  dryRun: boolean;
  /** Whether something was, or in a plan would be, changed. */
  changed: boolean;
  lines: PlanLine[];
  findings: Finding[];
  /** Where each trunk's calls go, by its name: Twilio tells the domain of a trunk that is adopted. */
  addresses: Record<string, string>;
};

/**
 * Makes LiveKit's trunks and dispatch rules, and Twilio's account, what the configuration says; a second run
 * changes nothing. Touches only what it has marked as its own.
 *
 * @param options.waitMs how long to wait for another run that is under way
 * @throws {OperatorError} where livekit-server or Redis cannot be used; what a carrier refuses is a finding
 */
export async function ensureTrunks(
  deps: EnsureDeps & { redis: Redis },
  options: { waitMs: number },
): Promise<EnsureReport> {
  return withEnsureLease(deps.redis, options.waitMs, () => run(deps, false));
}

/** What `ensureTrunks` would do. Reads only. */
export async function planTrunks(deps: EnsureDeps): Promise<EnsureReport> {
  return run(deps, true);
}

async function run({ config, trunks, sip }: EnsureDeps, dryRun: boolean): Promise<EnsureReport> {
  const lines: PlanLine[] = [];
  const findings: Finding[] = [];
  const outcomes: TwilioOutcome[] = [];
  const ready: Trunk[] = [];
  const held = new Set<string>();
  for (const trunk of trunks) {
    if (!trunk.twilio) {
      try {
        ready.push(await withSources(trunk));
      } catch (thrown) {
        held.add(trunk.name);
        findings.push(unresolved(trunk, thrown));
      }
      continue;
    }
    const originationUrl = await originationUrlOf(trunk, config);
    const client = connectTwilio(trunk.twilio, config.TWILIO_API_URL);
    const outcome = await ensureTwilio(client, trunk, trunk.twilio, { originationUrl, dryRun });
    outcomes.push(outcome);
    lines.push(...outcome.lines);
    findings.push(...outcome.findings);
    if (outcome.trunk) ready.push(outcome.trunk);
    else held.add(trunk.name);
  }

  const desired = ready.map((trunk) => objectsOf(trunk, config.AGENT_NAME));
  const plan = withoutHeld(planLiveKit(desired, await readLiveKit(sip)), held);
  lines.push(...linesOf(plan));
  findings.push(...plan.findings);
  if (!dryRun) {
    if (!isSettled(plan)) {
      await applyLiveKit(sip, plan);
      const after = withoutHeld(planLiveKit(desired, await readLiveKit(sip)), held);
      if (!isSettled(after)) {
        findings.push({
          severity: 'problem',
          message:
            'livekit-server holds something else than was written: somebody else changes its trunks.',
          remedy: 'find who, and run `sip-management ensure` again',
        });
      }
    }
    for (const { finish } of outcomes) await finish();
  }
  const changed = lines.some(({ action }) => action !== 'keep');
  const addresses = Object.fromEntries(ready.map(({ address, name }) => [name, address]));
  return { dryRun, changed, lines, findings, addresses };
}

/** A trunk of our own machines takes calls from where it sends them; a name is looked up, for livekit-sip reads none. */
async function withSources(trunk: Trunk): Promise<Trunk> {
  if (!isLocal(trunk) || trunk.allowedAddresses.length > 0) return trunk;
  const { host } = splitAddress(trunk.address, trunk.transport);
  return { ...trunk, allowedAddresses: isIP(host) === 0 ? await resolve(host) : [host] };
}

function unresolved(trunk: Trunk, thrown: unknown): Finding {
  return {
    severity: 'problem',
    trunk: trunk.name,
    message: `The host of the trunk ${trunk.name} has no address: ${asError(thrown).message}`,
    remedy: 'correct SIP_ADDRESS or SIMULATOR_SIP_ADDRESS, or set allowed_addresses in trunks.yaml',
  };
}

async function resolve(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return [...new Set(found.map(({ address }) => address))].sort();
}

async function originationUrlOf(trunk: Trunk, config: Config): Promise<string | undefined> {
  const found = await findPublicAddress(config.PUBLIC_IP);
  if (!found) return undefined;
  const host = isIP(found.address) === 6 ? `[${found.address}]` : found.address;
  const port = trunk.transport === 'tls' ? 5061 : splitAddress(config.SIP_ADDRESS, 'udp').port;
  return `sip:${host}:${port};transport=${trunk.transport}`;
}

/** Objects of a trunk whose carrier did not tell what they should be stay as they are. */
function withoutHeld(plan: LiveKitPlan, held: ReadonlySet<string>): LiveKitPlan {
  const free = <Step extends { trunk: string }>(steps: Step[]) =>
    steps.filter(({ trunk }) => !held.has(trunk));
  return {
    outbound: free(plan.outbound),
    inbound: free(plan.inbound),
    rules: free(plan.rules),
    findings: plan.findings,
  };
}

function linesOf(plan: LiveKitPlan): PlanLine[] {
  return [...plan.outbound, ...plan.inbound, ...plan.rules].map(
    ({ action, changes, id, kind, trunk }) => ({
      where: 'livekit',
      trunk,
      object: kind,
      action,
      id,
      changes,
    }),
  );
}
