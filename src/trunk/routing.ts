import { permits } from './destination.ts';
import { isLocal, type Trunk } from './trunk.ts';

export type OutboundChoice =
  | { ok: true; trunk: Trunk; from: string | undefined }
  | { ok: false; reason: string };

/**
 * The trunk and caller id of an outbound call: the trunk that is named, else the first that permits it.
 *
 * A simulated personality never dials over a carrier. A real one dials over a carrier where there is one: a
 * number that no carrier permits must not be "answered" by the simulator instead, unless that is named.
 *
 * @returns a reason, without numbers, where no trunk may carry the call
 */
export function trunkForOutbound(
  trunks: readonly Trunk[],
  call: {
    trunk?: string | undefined;
    from?: string | undefined;
    to: string;
    simulated: boolean;
  },
): OutboundChoice {
  const named = call.trunk === undefined ? undefined : trunks.find((it) => it.name === call.trunk);
  if (call.trunk !== undefined && !named) {
    const names = trunks.map(({ name }) => name).join(', ');
    return { ok: false, reason: `there is no trunk of this name; there are: ${names}` };
  }
  const refusals: string[] = [];
  for (const trunk of named ? [named] : candidates(trunks, call.simulated)) {
    const refusal = refusalOf(trunk, call);
    if (refusal === undefined) return { ok: true, trunk, from: callerId(trunk, call.from) };
    refusals.push(refusal);
  }
  return {
    ok: false,
    reason: refusals.length > 0 ? [...new Set(refusals)].join('; ') : 'there is no trunk',
  };
}

/** Who answers a number that was called over a trunk; undefined where the trunk has no such number. */
export function personalityForInbound(
  trunks: readonly Trunk[],
  call: { trunk: string; number: string },
): string | undefined {
  const trunk = trunks.find(({ name }) => name === call.trunk);
  return trunk?.numbers.find(({ number }) => sameNumber(number, call.number))?.personality;
}

function candidates(trunks: readonly Trunk[], simulated: boolean): readonly Trunk[] {
  const carriers = trunks.filter((trunk) => !isLocal(trunk));
  return simulated || carriers.length === 0 ? trunks : carriers;
}

function refusalOf(
  trunk: Trunk,
  call: { from?: string | undefined; to: string; simulated: boolean },
): string | undefined {
  if (call.simulated && !isLocal(trunk)) {
    return `the personality runs on the simulator, so it may not dial over ${trunk.name}, which reaches real people`;
  }
  if (!permits(trunk.allowedPrefixes, call.to)) {
    return `the trunk ${trunk.name} permits only destinations in ${trunk.allowedPrefixes.join(', ')}`;
  }
  if (call.from !== undefined && callerId(trunk, call.from) === undefined) {
    return `the caller id is not a number of the trunk ${trunk.name}`;
  }
  return undefined;
}

function callerId(trunk: Trunk, wanted: string | undefined): string | undefined {
  if (wanted === undefined) return trunk.numbers[0]?.number;
  return trunk.numbers.find(({ number }) => sameNumber(number, wanted))?.number;
}

/** Carriers write numbers with and without the plus. */
function sameNumber(a: string, b: string): boolean {
  return a.replace(/\D/g, '') === b.replace(/\D/g, '');
}
