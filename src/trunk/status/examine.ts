import type { Config } from '../../platform/config.ts';
import { asError } from '../../platform/errors.ts';
import type { LiveKit } from '../../platform/livekit.ts';
import { countryOf } from '../destination.ts';
import { planTrunks } from '../ensure.ts';
import type { Finding } from '../plan.ts';
import { findPublicAddress, type PublicAddress } from '../public-address.ts';
import { sendOptions, type Pulse } from '../sip-options.ts';
import { isLocal, splitAddress, type Trunk } from '../trunk.ts';
import { connectTwilio } from '../twilio/twilio-client.ts';
import { askAnnouncedAddress, type Announced } from './announced-address.ts';
import { addressDiagnoses } from './address-diagnoses.ts';
import { remedies, type Diagnosis } from './cause.ts';
import { diagnose } from './diagnose.ts';
import { recentCalls, type RecentCalls } from './recent-calls.ts';
import { gatherTwilioFacts, type TwilioFacts } from './twilio-facts.ts';

type TrunkExamination = {
  name: string;
  pulse: Pulse;
  /** Of the last outbound calls over it: how many ended with which SIP status. */
  calls: { total: number; byStatus: Record<string, number> };
};

/** What livekit-sip's health endpoint answered; `status` is absent where it did not. */
type SipService = { ok: boolean; status?: number | undefined; detail: string };

export type Examination = {
  sipService: SipService;
  publicAddress: PublicAddress | null;
  announced: Announced;
  recentCalls: { ok: boolean; detail: string };
  trunks: TrunkExamination[];
  diagnoses: Diagnosis[];
  findings: Finding[];
};

const PING_TIMEOUT_MS = 4000;
const HEALTH_TIMEOUT_MS = 2000;

/** Asks everything that can tell why calls fail, and says what it means. Changes nothing at carriers. */
export async function examine(
  config: Config,
  trunks: readonly Trunk[],
  liveKit: LiveKit,
): Promise<Examination> {
  const sipHost = splitAddress(config.SIP_ADDRESS, 'udp').host;
  const [sipService, announced, publicAddress, calls, plan] = await Promise.all([
    sipHealth(config.SIP_HEALTH_URL),
    askAnnouncedAddress(liveKit, sipHost),
    needsPublicAddress(config, trunks) ? findPublicAddress(config.PUBLIC_IP) : undefined,
    recentCalls(config),
    planTrunks({ config, trunks, sip: liveKit.sip }),
  ]);
  const examined = await Promise.all(
    trunks.map((trunk) => examineTrunk(config, trunk, plan.addresses[trunk.name], calls)),
  );
  const diagnoses: Diagnosis[] = [];
  if (!sipService.ok) diagnoses.push(sipServiceDiagnosis(sipService));
  for (const trunk of trunks) {
    const missing = plan.lines.filter(
      (line) => line.trunk === trunk.name && line.action !== 'keep' && line.action !== 'delete',
    );
    if (missing.length === 0) continue;
    diagnoses.push({
      trunk: trunk.name,
      symptom: 'not found',
      cause: 'not_made',
      sentence: 'The trunk is not, or not wholly, what the configuration says.',
      evidence: missing.map(({ action, object, where }) => `${where}: ${object} to ${action}`),
      remedy: remedies.not_made,
    });
  }
  diagnoses.push(
    ...addressDiagnoses(announced, publicAddress),
    ...examined.flatMap((it) => it.diagnoses),
  );
  return {
    sipService,
    announced,
    publicAddress: publicAddress ?? null,
    recentCalls: calls.ok
      ? { ok: true, detail: `${calls.calls.length} outbound calls` }
      : { ok: false, detail: calls.reason },
    trunks: examined.map((it) => it.examination),
    diagnoses,
    findings: plan.findings,
  };
}

async function examineTrunk(
  config: Config,
  trunk: Trunk,
  address: string | undefined,
  recent: RecentCalls,
): Promise<{ examination: TrunkExamination; diagnoses: Diagnosis[] }> {
  const { transport } = trunk;
  const calls = recent.ok ? recent.calls.filter((call) => call.trunk === trunk.name) : [];
  const target = { ...splitAddress(address ?? trunk.address, transport), transport };
  const [pulse, twilio] = await Promise.all([
    sendOptions(target, PING_TIMEOUT_MS),
    twilioFacts(config, trunk, calls),
  ]);
  const byStatus: Record<string, number> = {};
  for (const { sip_status: status } of calls) {
    const key = String(status ?? 'none');
    byStatus[key] = (byStatus[key] ?? 0) + 1;
  }
  return {
    examination: { name: trunk.name, pulse, calls: { total: calls.length, byStatus } },
    diagnoses: diagnose({ trunk, calls, pulse, twilio }),
  };
}

async function twilioFacts(
  config: Config,
  trunk: Trunk,
  calls: readonly { to?: string | null | undefined; sip_status: number | null }[],
): Promise<TwilioFacts | undefined> {
  if (!trunk.twilio) return undefined;
  const refused = calls.flatMap(({ sip_status: status, to }) => {
    const country = status === 403 && typeof to === 'string' ? countryOf(to) : undefined;
    return country === undefined ? [] : [country];
  });
  const permitted = trunk.allowedPrefixes.filter((entry) => /^[A-Z]{2}$/.test(entry));
  const client = connectTwilio(trunk.twilio, config.TWILIO_API_URL);
  return gatherTwilioFacts(client, trunk, refused.length > 0 ? refused : permitted);
}

function needsPublicAddress(config: Config, trunks: readonly Trunk[]): boolean {
  return config.PUBLIC_IP !== undefined || trunks.some((trunk) => !isLocal(trunk));
}

async function sipHealth(url: string): Promise<SipService> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    const { ok, status } = response;
    return { ok, status, detail: `${status} ${(await response.text()).trim()}` };
  } catch (thrown) {
    const { cause, message } = asError(thrown);
    return { ok: false, detail: cause === undefined ? message : asError(cause).message };
  }
}

/** livekit-sip answers 429 when it refuses new calls for want of CPU. */
function sipServiceDiagnosis({ detail, status }: SipService): Diagnosis {
  const busy = status === 429;
  const cause = busy ? 'sip_service_busy' : 'sip_service_down';
  return {
    symptom: busy ? '503' : 'silence',
    cause,
    sentence: busy
      ? 'livekit-sip is short of CPU, and refuses new calls.'
      : 'livekit-sip is not there: no call can be made or taken.',
    evidence: [`its health endpoint: ${detail}`],
    remedy: remedies[cause],
  };
}
