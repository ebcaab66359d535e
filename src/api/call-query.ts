import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { CallFilter } from '../call/ledger/call-filter.ts';
import { callDirections, callStatuses } from '../call/ledger/call-state.ts';
import { outcomes } from '../call/outcome.ts';
import { ApiProblem } from './problem.ts';
import { storableText, storableTime } from './storable-body.ts';

const MOST_FIELDS = 10;

const text = storableText(200);

/** A plus that was not written as %2B arrives as a blank. */
const number = z
  .preprocess((value) => (typeof value === 'string' ? value.replace(/^ (?=\d)/, '+') : value), text)
  .optional();

const moment = z
  .preprocess(
    (value) => (typeof value === 'string' ? value.replace(/ (?=\d\d:?\d\d$)/, '+') : value),
    z.iso.datetime({ offset: true }),
  )
  .optional();

/** Given several times, or once with commas. */
const several = <T extends string>(values: readonly [T, ...T[]]) =>
  z
    .preprocess(
      (value) => [value].flat().flatMap((one) => (typeof one === 'string' ? one.split(',') : one)),
      z.array(z.enum(values)).min(1).max(50),
    )
    .optional();

/** What tells which calls are meant, in an address. */
export const callFilterQuery = z.strictObject({
  direction: z.enum(callDirections).optional(),
  status: several(callStatuses).describe('one of these; several times, or with commas'),
  outcome: several(outcomes).describe('one of these; several times, or with commas'),
  personality: text.optional(),
  trunk: text.optional(),
  number: number.describe('exactly this number on either side, E.164'),
  from: number.describe('exactly this number calls, E.164'),
  to: number.describe('exactly this number is called, E.164'),
  since: moment.describe('accepted, or arrived, then or later; ISO 8601 with offset'),
  until: moment.describe('accepted, or arrived, before; ISO 8601 with offset'),
  metadata: z
    .record(text, text)
    .refine((fields) => Object.keys(fields).length <= MOST_FIELDS, `may name ${MOST_FIELDS} fields`)
    .optional()
    .describe(
      '`metadata[crm_id]=4711`: the order had this in its metadata, as a text or, where it can be one, as a number or a truth value',
    ),
  simulated: z.enum(['true', 'false']).optional(),
  sip_call_id: text.optional(),
});

/** A hook that makes one object of all `metadata[…]` of an address. */
export async function gatherMetadata(request: FastifyRequest): Promise<void> {
  const given = request.query as Record<string, unknown>;
  const fields = new Map<string, unknown>();
  const others = new Map<string, unknown>();
  for (const [key, value] of Object.entries(given)) {
    const name = /^metadata\[(.*)\]$/s.exec(key)?.[1];
    if (name === undefined) others.set(key, value);
    else if (Array.isArray(value)) {
      const reason = 'is given several times';
      throw new ApiProblem('bad-request', `metadata: a field ${reason}`, {
        errors: [{ field: 'metadata', reason }],
      });
    } else fields.set(name, value);
  }
  if (fields.size > 0) others.set('metadata', Object.fromEntries(fields));
  request.query = Object.fromEntries(others);
}

export function filterOf(query: z.output<typeof callFilterQuery>): CallFilter {
  return {
    direction: query.direction,
    status: query.status,
    outcome: query.outcome,
    personality: query.personality,
    trunk: query.trunk,
    number: query.number,
    from: query.from,
    to: query.to,
    since: query.since === undefined ? undefined : storableTime(query.since),
    until: query.until === undefined ? undefined : storableTime(query.until),
    metadata: query.metadata,
    simulated: query.simulated === undefined ? undefined : query.simulated === 'true',
    sipCallId: query.sip_call_id,
  };
}
