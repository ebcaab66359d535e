import type { NewOrder } from '../call/ledger/accept-order.ts';
import type { CallOrder, OutboundCallBody } from '../call/order.ts';
import { checkNumber } from '../call/phone-number.ts';
import { trunkForOutbound } from '../trunk/routing.ts';
import { isLocal, type Trunk } from '../trunk/trunk.ts';
import { findPersonality, type KnownPersonalities } from './find-personality.ts';
import { ApiProblem } from './problem.ts';

export type OrderSurroundings = {
  workspace: string;
  personalities: KnownPersonalities;
  /** Variables that a personality's outbound prompt cannot do without and that are not among these. */
  missingVariables: (personality: string, given: CallOrder['variables']) => readonly string[];
  defaultPersonality: string;
  trunks: readonly Trunk[];
};

const YEAR_MS = 366 * 86_400_000;

/**
 * Makes an order of a body, where the call it asks for can be made as things are now.
 *
 * @throws ApiProblem
 */
export function examineOrder(around: OrderSurroundings, body: OutboundCallBody): NewOrder {
  const named = namedTrunk(around.trunks, body.trunk);
  const loose = named !== undefined && isLocal(named);
  const to = numberOf('to_number', body.to_number, loose);
  const from =
    body.from_number === undefined ? undefined : numberOf('from_number', body.from_number, loose);
  const personality = findPersonality(
    around.personalities,
    body.personality ?? around.defaultPersonality,
  );
  requireVariables(around, personality.key, body);
  const now = Date.now();
  const notBefore = body.schedule_at === undefined ? undefined : Date.parse(body.schedule_at);
  if (notBefore !== undefined && notBefore > now + YEAR_MS) {
    throw invalid('schedule_at', 'a call can be scheduled a year ahead at most');
  }
  const choice = trunkForOutbound(around.trunks, {
    trunk: body.trunk,
    from: from?.e164,
    to: to.e164,
    simulated: personality.simulated,
  });
  if (!choice.ok) throw new ApiProblem('not-permitted', choice.reason);
  const scheduled = notBefore !== undefined && notBefore > now;
  const order: NewOrder['order'] = {
    workspace: around.workspace,
    to: to.e164,
    personality: personality.key,
    callerName: body.caller_name,
    prompt: body.llm_prompt,
    greeting: body.greeting,
    variables: body.variables ?? {},
    trunk: body.trunk,
    from: from?.e164,
    metadata: body.metadata ?? {},
    acceptedAt: now,
    notBefore: scheduled ? notBefore : undefined,
    priority: body.priority,
    maxDurationMs: body.max_duration === undefined ? undefined : body.max_duration * 1000,
  };
  const queued = scheduled ? 'The call is scheduled.' : 'The call is queued.';
  const message = to.warning === undefined ? queued : `${queued} Warning: ${to.warning}.`;
  return {
    order,
    callbackUrl: body.callback_url,
    simulated: personality.simulated,
    expected: { trunk: choice.trunk.name, from: choice.from },
    message,
  };
}

function namedTrunk(trunks: readonly Trunk[], name: string | undefined): Trunk | undefined {
  if (name === undefined) return undefined;
  const trunk = trunks.find((candidate) => candidate.name === name);
  if (trunk) return trunk;
  const names = trunks.map((candidate) => candidate.name);
  throw new ApiProblem('unknown-trunk', `There are: ${names.join(', ')}.`, {
    errors: [{ field: 'trunk', reason: 'there is no trunk of this name' }],
    trunks: names,
  });
}

/** An agent that lacks a variable would find out when somebody has picked up. */
function requireVariables(
  around: OrderSurroundings,
  personality: string,
  body: OutboundCallBody,
): void {
  const missing = around.missingVariables(personality, body.variables ?? {});
  if (missing.length === 0) return;
  throw new ApiProblem('bad-request', `${personality} needs the variables ${missing.join(', ')}.`, {
    errors: missing.map((name) => ({ field: `variables.${name}`, reason: 'is required' })),
  });
}

/** @param loose calls that stay on our own machines may go to any digits */
function numberOf(field: string, text: string, loose: boolean) {
  const check = checkNumber(text);
  if (check.ok) return check;
  if (loose && /^\+?\d{1,15}$/.test(text)) return { e164: text, warning: undefined };
  throw new ApiProblem('impossible-number', `${field}: ${check.reason}.`, {
    errors: [{ field, reason: check.reason }],
  });
}

function invalid(field: string, reason: string): ApiProblem {
  return new ApiProblem('bad-request', `${field}: ${reason}`, { errors: [{ field, reason }] });
}
