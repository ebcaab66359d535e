import type { Acceptance, Answer } from '../call/ledger/accept-order.ts';
import type { Ledger } from '../call/ledger/ledger.ts';
import type { CallOrder, OutboundCallBody } from '../call/order.ts';
import type { OutboundQueue } from '../call/outbound-queue.ts';
import { checkNumber } from '../call/phone-number.ts';
import { asError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import { withinMs } from '../platform/time-limit.ts';
import { trunkForOutbound } from '../trunk/routing.ts';
import { isLocal, type Trunk } from '../trunk/trunk.ts';
import { bodyHash } from './idempotency.ts';
import { ApiProblem } from './problem.ts';

/** What the api needs to know of a personality. */
export type KnownPersonality = { readonly key: string; readonly simulated: boolean };

type Personalities = {
  get(key: string): KnownPersonality | undefined;
  list(): readonly KnownPersonality[];
};

export type DeskDeps = {
  workspace: string;
  ledger: Ledger;
  queue: OutboundQueue;
  /** Impatient: a request does not wait for a Redis that is away. */
  redis: Redis;
  personalities: Personalities;
  /** Variables that a personality's outbound prompt cannot do without and that are not among these. */
  missingVariables: (personality: string, given: CallOrder['variables']) => readonly string[];
  defaultPersonality: string;
  trunks: readonly Trunk[];
  /** Called when a call is on record and the queue did not take it. */
  onLeftBehind: () => void;
  log: Log;
};

const REDIS_LIMIT_MS = 1000;
const RETRY_AFTER_S = 5;
const YEAR_MS = 366 * 86_400_000;

/**
 * Takes orders for outbound calls.
 *
 * An order is accepted when the ledger has it, and not before; the queue comes second. Where Redis is away
 * nothing is written at all. Where it goes away between the two, the call is on record as queued, so the
 * answer is yes: the reconciler gives it to the queue as soon as that is back, and because the job's id is the
 * call's, no order becomes two jobs, whoever adds it and however often.
 */
export class OutboundDesk {
  readonly #deps: DeskDeps;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
  }

  /** @throws ApiProblem */
  async place(body: OutboundCallBody, idempotencyKey: string | undefined): Promise<Answer> {
    const { ledger } = this.#deps;
    const idempotency =
      idempotencyKey === undefined ? undefined : { key: idempotencyKey, bodyHash: bodyHash(body) };
    if (idempotency) {
      const earlier = await ledger.replay(idempotency.key, idempotency.bodyHash);
      if (earlier) return answerOf(earlier);
    }
    const { order, ...rest } = this.#examine(body);
    await this.#requireRedis();
    const accepted = await ledger.accept({ order, ...rest, idempotency });
    if (accepted.kind === 'accepted') await this.#enqueue(accepted.order);
    return answerOf(accepted);
  }

  #examine(body: OutboundCallBody) {
    const { workspace, trunks } = this.#deps;
    const named = this.#namedTrunk(body.trunk);
    const loose = named !== undefined && isLocal(named);
    const to = numberOf('to_number', body.to_number, loose);
    const from =
      body.from_number === undefined ? undefined : numberOf('from_number', body.from_number, loose);
    const personality = this.#personality(body.personality);
    this.#requireVariables(personality.key, body);
    const now = Date.now();
    const notBefore = body.schedule_at === undefined ? undefined : Date.parse(body.schedule_at);
    if (notBefore !== undefined && notBefore > now + YEAR_MS) {
      throw invalid('schedule_at', 'a call can be scheduled a year ahead at most');
    }
    const choice = trunkForOutbound(trunks, {
      trunk: body.trunk,
      from: from?.e164,
      to: to.e164,
      simulated: personality.simulated,
    });
    if (!choice.ok) throw new ApiProblem('not-permitted', choice.reason);
    const order: Omit<CallOrder, 'callId' | 'publicId'> = {
      workspace,
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
      notBefore: notBefore !== undefined && notBefore > now ? notBefore : undefined,
    };
    const queued = order.notBefore === undefined ? 'The call is queued.' : 'The call is scheduled.';
    const message = to.warning === undefined ? queued : `${queued} Warning: ${to.warning}.`;
    const expected = { trunk: choice.trunk.name, from: choice.from };
    return { order, simulated: personality.simulated, expected, message };
  }

  #namedTrunk(name: string | undefined): Trunk | undefined {
    if (name === undefined) return undefined;
    const { trunks } = this.#deps;
    const trunk = trunks.find((candidate) => candidate.name === name);
    if (trunk) return trunk;
    const names = trunks.map((candidate) => candidate.name);
    throw new ApiProblem('unknown-trunk', `There are: ${names.join(', ')}.`, {
      errors: [{ field: 'trunk', reason: 'there is no trunk of this name' }],
      trunks: names,
    });
  }

  #personality(key = this.#deps.defaultPersonality): KnownPersonality {
    const { personalities } = this.#deps;
    const found = personalities.get(key);
    if (found) return found;
    const keys = personalities.list().map((personality) => personality.key);
    throw new ApiProblem('unknown-personality', `There are: ${keys.join(', ') || 'none'}.`, {
      errors: [{ field: 'personality', reason: 'there is no personality of this name' }],
      personalities: keys,
    });
  }

  /** An agent that lacks a variable would find out when somebody has picked up. */
  #requireVariables(personality: string, body: OutboundCallBody): void {
    const missing = this.#deps.missingVariables(personality, body.variables ?? {});
    if (missing.length === 0) return;
    throw new ApiProblem(
      'bad-request',
      `${personality} needs the variables ${missing.join(', ')}.`,
      {
        errors: missing.map((name) => ({ field: `variables.${name}`, reason: 'is required' })),
      },
    );
  }

  async #requireRedis(): Promise<void> {
    try {
      await withinMs(REDIS_LIMIT_MS, this.#deps.redis.ping());
    } catch (thrown) {
      this.#deps.log.warn({ err: asError(thrown) }, 'refused a call: redis is away');
      throw new ApiProblem('unavailable', 'The queue is away. Nothing was done; send it again.', {
        retryAfterS: RETRY_AFTER_S,
      });
    }
  }

  async #enqueue(order: CallOrder): Promise<void> {
    try {
      await withinMs(REDIS_LIMIT_MS, this.#deps.queue.add(order));
    } catch (thrown) {
      const call = order.callId;
      this.#deps.log.warn({ err: asError(thrown), call }, 'call waits for the queue');
      this.#deps.onLeftBehind();
    }
  }
}

function answerOf(acceptance: Acceptance): Answer {
  if (acceptance.kind !== 'key_taken') return acceptance.answer;
  throw new ApiProblem(
    'idempotency-key-reused',
    'This Idempotency-Key came with another body within the last 24 h; take a new key for a new call.',
  );
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
