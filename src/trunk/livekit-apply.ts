import type { SIPInboundTrunkInfo, SipClient } from 'livekit-server-sdk';
import { asError, OperatorError } from '../platform/errors.ts';
import { ruleFor, type InboundStep, type LiveKitPlan, type LiveKitState } from './livekit-plan.ts';

/** Reads all SIP objects of livekit-server. */
export async function readLiveKit(sip: SipClient): Promise<LiveKitState> {
  try {
    const [outbound, inbound, rules] = await Promise.all([
      sip.listSipOutboundTrunk(),
      sip.listSipInboundTrunk(),
      sip.listSipDispatchRule(),
    ]);
    return { outbound, inbound, rules };
  } catch (thrown) {
    throw new OperatorError(`livekit-server does not tell its trunks: ${asError(thrown).message}`, {
      cause: thrown,
      remedy:
        'check that it runs at LIVEKIT_URL with Redis, and that LIVEKIT_API_KEY and LIVEKIT_API_SECRET are its own',
    });
  }
}

/**
 * Makes livekit-server what the plan says. The order keeps two things true at every moment: no number belongs
 * to two trunks (the server refuses that), and no rule is without a trunk (it would take every INVITE).
 *
 * rules away → inbound trunks away → numbers given up → inbound trunks made and changed → rules → outbound
 */
export async function applyLiveKit(sip: SipClient, plan: LiveKitPlan): Promise<void> {
  for (const { action, id } of plan.rules) {
    if (action === 'delete' && id !== undefined) await sip.deleteSipDispatchRule(id);
  }
  for (const { action, id } of [...plan.inbound, ...plan.outbound]) {
    if (action === 'delete' && id !== undefined) await sip.deleteSipTrunk(id);
  }
  for (const step of plan.inbound) await giveUpNumbers(sip, step);
  const inboundIds = new Map<string, string>();
  for (const step of plan.inbound) {
    const id = await applyInbound(sip, step);
    if (id !== undefined) inboundIds.set(step.trunk, id);
  }
  for (const { action, desired, id, trunk } of plan.rules) {
    if (!desired || action === 'delete') continue;
    const rule = ruleFor(desired, inboundIds.get(trunk));
    if (rule.trunkIds.length === 0) {
      throw new Error(`the dispatch rule of the trunk ${trunk} would have no trunk`);
    }
    if (action === 'update' && id !== undefined) await sip.updateSipDispatchRule(id, rule);
    if (action === 'create') {
      await sip.createSipDispatchRule(
        { type: 'individual', roomPrefix: roomPrefixOf(rule) },
        { ...pick(rule, ['name', 'metadata', 'trunkIds']), ...roomConfigOf(rule) },
      );
    }
  }
  for (const { action, desired, id } of plan.outbound) {
    if (!desired) continue;
    if (action === 'update' && id !== undefined) await sip.updateSipOutboundTrunk(id, desired);
    if (action === 'create') {
      const { name, address, numbers } = desired;
      await sip.createSipOutboundTrunk(name, address, numbers, {
        ...pick(desired, ['metadata', 'transport', 'authUsername', 'authPassword']),
        ...mediaOf(desired),
      });
    }
  }
}

async function giveUpNumbers(sip: SipClient, step: InboundStep): Promise<void> {
  const { action, actual, desired, id } = step;
  if (action !== 'update' || !actual || !desired || id === undefined) return;
  const kept = actual.numbers.filter((number) => desired.numbers.includes(number));
  if (kept.length === actual.numbers.length) return;
  const shrunk = actual.clone();
  shrunk.numbers = kept;
  await sip.updateSipInboundTrunk(id, shrunk);
}

async function applyInbound(sip: SipClient, step: InboundStep): Promise<string | undefined> {
  const { action, desired, id } = step;
  if (!desired) return undefined;
  if (action === 'update' && id !== undefined) await sip.updateSipInboundTrunk(id, desired);
  if (action === 'create') {
    const { name, numbers } = desired;
    const made = await sip.createSipInboundTrunk(name, numbers, {
      ...pick(desired, ['metadata', 'allowedAddresses', 'authUsername', 'authPassword']),
      ...mediaOf(desired),
      krispEnabled: false,
    });
    return made.sipTrunkId;
  }
  return id;
}

function mediaOf(info: Pick<SIPInboundTrunkInfo, 'media'>): Pick<SIPInboundTrunkInfo, 'media'> {
  return info.media ? { media: info.media } : {};
}

function roomConfigOf<T>(rule: { roomConfig?: T }): { roomConfig?: T } {
  return rule.roomConfig === undefined ? {} : { roomConfig: rule.roomConfig };
}

function roomPrefixOf(rule: {
  rule?: { rule: { case?: string; value?: unknown } } | undefined;
}): string {
  const individual = rule.rule?.rule;
  const value = individual?.case === 'dispatchRuleIndividual' ? individual.value : undefined;
  return typeof value === 'object' && value !== null && 'roomPrefix' in value
    ? String(value.roomPrefix)
    : '';
}

function pick<T, K extends keyof T>(object: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, object[key]])) as Pick<T, K>;
}
