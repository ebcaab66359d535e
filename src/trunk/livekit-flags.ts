import type { TrunkObjects } from './livekit-objects.ts';
import type { LiveKitState } from './livekit-plan.ts';
import { managedTrunk } from './managed.ts';
import type { Finding } from './plan.ts';

/**
 * What others have put into livekit-server that endangers our trunks. We do not touch it, we say it.
 */
export function flagsOf(desired: readonly TrunkObjects[], state: LiveKitState): Finding[] {
  return [
    ...openRules(state),
    ...takenNumbers(desired, state),
    ...rulesOnOurTrunks(state),
    ...openTrunks(state),
  ];
}

/** A rule without trunks takes every INVITE, even one that a trunk's allowed addresses refused. */
function openRules(state: LiveKitState): Finding[] {
  return state.rules
    .filter((rule) => rule.trunkIds.length === 0 && managedTrunk(rule) === undefined)
    .map((rule) => ({
      severity: 'problem',
      message:
        `The dispatch rule ${label(rule.name, rule.sipDispatchRuleId)} names no trunk: it takes every ` +
        "INVITE from anybody, past every trunk's allowed addresses and password.",
      remedy: `bind it to a trunk, or delete it: lk sip dispatch delete ${rule.sipDispatchRuleId}`,
    }));
}

/** livekit-server refuses two inbound trunks for one number, unless both restrict their callers. */
function takenNumbers(desired: readonly TrunkObjects[], state: LiveKitState): Finding[] {
  const foreign = state.inbound.filter((trunk) => managedTrunk(trunk) === undefined);
  return desired.flatMap(({ trunk, inbound }) => {
    const ours = new Set(inbound.numbers.map(digits));
    return foreign
      .filter((other) => other.numbers.some((number) => ours.has(digits(number))))
      .map((other): Finding => ({
        severity: 'problem',
        trunk,
        blocks: [trunk],
        message:
          `A number of the trunk ${trunk} already belongs to the inbound trunk ` +
          `${label(other.name, other.sipTrunkId)}, which Trunkline does not manage.`,
        remedy: `remove the number from it, or delete it: lk sip inbound delete ${other.sipTrunkId}`,
      }));
  });
}

/** livekit-server refuses a second rule for the same trunk. */
function rulesOnOurTrunks(state: LiveKitState): Finding[] {
  return state.inbound.flatMap((inbound) => {
    const trunk = managedTrunk(inbound);
    if (trunk === undefined) return [];
    return state.rules
      .filter((rule) => rule.trunkIds.includes(inbound.sipTrunkId))
      .filter((rule) => managedTrunk(rule) === undefined)
      .map((rule): Finding => ({
        severity: 'problem',
        trunk,
        blocks: [trunk],
        message:
          `The dispatch rule ${label(rule.name, rule.sipDispatchRuleId)}, which Trunkline does not ` +
          `manage, takes the calls of the trunk ${trunk}.`,
        remedy: `delete it: lk sip dispatch delete ${rule.sipDispatchRuleId}`,
      }));
  });
}

/** A trunk of others for all numbers competes only for numbers that are nobody's; it is worth a word. */
function openTrunks(state: LiveKitState): Finding[] {
  return state.inbound
    .filter((trunk) => managedTrunk(trunk) === undefined)
    .filter(({ numbers, allowedAddresses, authUsername }) => {
      return numbers.length === 0 && allowedAddresses.length === 0 && authUsername === '';
    })
    .map((trunk) => ({
      severity: 'note',
      message: `The inbound trunk ${label(trunk.name, trunk.sipTrunkId)} takes any number from any address.`,
      remedy: 'set its allowed addresses',
    }));
}

function label(name: string, id: string): string {
  return name === '' ? id : `"${name}" (${id})`;
}

function digits(number: string): string {
  return number.replace(/\D/g, '');
}
