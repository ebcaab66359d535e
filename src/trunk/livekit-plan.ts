import type {
  SIPDispatchRuleInfo,
  SIPInboundTrunkInfo,
  SIPOutboundTrunkInfo,
} from 'livekit-server-sdk';
import { differingFields } from './livekit-difference.ts';
import type { TrunkObjects } from './livekit-objects.ts';
import { flagsOf } from './livekit-flags.ts';
import { managedTrunk } from './managed.ts';
import type { Finding, PlanAction } from './plan.ts';

/** What livekit-server holds, ours and others'. */
export type LiveKitState = {
  outbound: SIPOutboundTrunkInfo[];
  inbound: SIPInboundTrunkInfo[];
  rules: SIPDispatchRuleInfo[];
};

type Step<Kind extends string, Info> = {
  kind: Kind;
  action: PlanAction;
  trunk: string;
  /** Of the object that exists; absent when it is to be created. */
  id?: string | undefined;
  /** Fields that an update changes. */
  changes: string[];
  /** Absent when it is to be deleted. */
  desired?: Info | undefined;
  actual?: Info | undefined;
};

type OutboundStep = Step<'outbound_trunk', SIPOutboundTrunkInfo>;
export type InboundStep = Step<'inbound_trunk', SIPInboundTrunkInfo>;
type RuleStep = Step<'dispatch_rule', SIPDispatchRuleInfo>;

export type LiveKitPlan = {
  outbound: OutboundStep[];
  inbound: InboundStep[];
  rules: RuleStep[];
  findings: Finding[];
};

/**
 * The difference between what should be and what is. Only objects that carry our mark are changed; of two
 * that are marked for the same trunk (the half-made state of an interrupted run) the older id stays.
 * The inbound side of a trunk that an object of others stands in the way of is left as it is.
 */
export function planLiveKit(desired: readonly TrunkObjects[], state: LiveKitState): LiveKitPlan {
  const findings = flagsOf(desired, state);
  const blocked = new Set(findings.flatMap(({ blocks }) => blocks ?? []));
  const inboundIds = new Map<string, string>();
  const idOfTrunk = (info: { sipTrunkId: string }) => info.sipTrunkId;

  const outbound: OutboundStep[] = steps(
    'outbound_trunk',
    desired.map((it) => [it.trunk, it.outbound]),
    state.outbound,
    idOfTrunk,
  );
  const inbound: InboundStep[] = steps<'inbound_trunk', SIPInboundTrunkInfo>(
    'inbound_trunk',
    desired.map((it) => [it.trunk, it.inbound]),
    state.inbound,
    idOfTrunk,
  ).flatMap(replaceWhereNumbersAllChange);
  for (const step of inbound) {
    if (step.id !== undefined && step.action !== 'delete') inboundIds.set(step.trunk, step.id);
  }
  const rules: RuleStep[] = steps(
    'dispatch_rule',
    desired.map((it) => [it.trunk, ruleFor(it.rule, inboundIds.get(it.trunk))]),
    state.rules,
    (info) => info.sipDispatchRuleId,
  );
  const free = ({ trunk }: { trunk: string }) => !blocked.has(trunk);
  return { outbound, inbound: inbound.filter(free), rules: rules.filter(free), findings };
}

/** Whether applying the plan would change nothing. */
export function isSettled(plan: LiveKitPlan): boolean {
  return [...plan.outbound, ...plan.inbound, ...plan.rules].every(
    ({ action }) => action === 'keep',
  );
}

/** A rule bound to its inbound trunk. Without one its list stays empty, and `apply` refuses to send it. */
export function ruleFor(
  rule: SIPDispatchRuleInfo,
  inboundId: string | undefined,
): SIPDispatchRuleInfo {
  const bound = rule.clone();
  bound.trunkIds = inboundId === undefined ? [] : [inboundId];
  return bound;
}

function steps<Kind extends string, Info extends OutboundOrInboundOrRule>(
  kind: Kind,
  desired: readonly (readonly [string, Info])[],
  actual: readonly Info[],
  idOf: (info: Info) => string,
): Step<Kind, Info>[] {
  const wanted = new Map(desired);
  const kept = new Map<string, Info>();
  const planned: Step<Kind, Info>[] = [];
  for (const info of actual.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1))) {
    const trunk = managedTrunk(info);
    if (trunk === undefined) continue;
    if (wanted.has(trunk) && !kept.has(trunk)) kept.set(trunk, info);
    else planned.push({ kind, action: 'delete', trunk, id: idOf(info), changes: [], actual: info });
  }
  for (const [trunk, info] of wanted) {
    const existing = kept.get(trunk);
    if (!existing) {
      planned.push({ kind, action: 'create', trunk, changes: [], desired: info });
      continue;
    }
    const changes = differingFields(existing, info);
    const action = changes.length > 0 ? 'update' : 'keep';
    planned.push({
      kind,
      action,
      trunk,
      id: idOf(existing),
      changes,
      desired: info,
      actual: existing,
    });
  }
  return planned;
}

type OutboundOrInboundOrRule = SIPOutboundTrunkInfo | SIPInboundTrunkInfo | SIPDispatchRuleInfo;

/**
 * An inbound trunk gives its old numbers up before others take them (see `livekit-apply.ts`). One that keeps
 * none of its numbers would be left without any in between, and a trunk without numbers takes every number:
 * it is replaced.
 */
function replaceWhereNumbersAllChange(step: InboundStep): InboundStep[] {
  const { action, actual, desired, kind, trunk } = step;
  if (action !== 'update' || !actual || !desired) return [step];
  if (actual.numbers.some((number) => desired.numbers.includes(number))) return [step];
  return [
    { kind, trunk, action: 'delete', id: step.id, changes: [], actual },
    { kind, trunk, action: 'create', changes: [], desired },
  ];
}
