import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BatchAnswer } from '../../call/ledger/answered-before.ts';
import { outboundCallBody } from '../../call/order.ts';
import type { OutboundDesk } from '../outbound-desk.ts';
import { ApiProblem, problemResponses, problemSchema, type Problem } from '../problem.ts';
import { isNestedDeeper } from '../storable-body.ts';
import { idempotencyHeader } from './outbound-call.ts';

const MOST = 1000;
const BODY_LIMIT = 8 * 1024 * 1024;

/** Deeper than this an item is refused with all others, because it cannot even be compared with another one. */
const MAX_DEPTH = 100;

/** Told as what it should be, and taken as whatever it is: each that is not is refused by itself. */
const item = z.unknown().meta({
  anyOf: [z.toJSONSchema(outboundCallBody, { io: 'input', target: 'draft-2020-12' }), {}],
  description:
    'a body of `POST /api/outbound-call`; anything else is refused, and nothing beside it',
});

const body = z.strictObject({ calls: z.array(item).min(1).max(MOST) });

const answer = z.object({
  queued: z.int().describe('how many calls were accepted'),
  refused: z.int(),
  calls: z
    .array(
      z.discriminatedUnion('status', [
        z.object({
          status: z.literal('queued'),
          id: z.string().describe('the opaque id, `call_…`'),
          call_id: z.string(),
          message: z.string(),
        }),
        z.object({ status: z.literal('refused'), problem: problemSchema }),
      ]),
    )
    .describe('in the order of the request'),
});

/** `POST /outbound-calls`. */
export const outboundCallsRoute: FastifyPluginAsyncZod<{ desk: OutboundDesk }> = async (
  app,
  { desk },
) => {
  app.post(
    '/outbound-calls',
    {
      config: { scope: 'call' },
      bodyLimit: BODY_LIMIT,
      preValidation: async (request) => {
        if (!isNestedDeeper(request.body, MAX_DEPTH)) return;
        throw new ApiProblem('bad-request', `The body is nested deeper than ${MAX_DEPTH} levels.`);
      },
      schema: {
        tags: ['calls'],
        summary: `Have agents call many numbers, up to ${MOST} in one request`,
        description:
          'Those that are valid are accepted, all of them together; those that are not are refused, each with its problem.',
        security: [{ apiKey: [] }],
        headers: idempotencyHeader,
        body,
        response: { 200: answer, ...problemResponses(400, 401, 403, 413, 415, 422, 500, 503) },
      },
    },
    async (request) => {
      const answers = await desk.placeAll(request.body.calls, request.headers['idempotency-key']);
      const calls = answers.map(resultOf);
      const refused = calls.filter(({ status }) => status === 'refused').length;
      return { queued: calls.length - refused, refused, calls };
    },
  );
};

function resultOf(one: BatchAnswer): z.infer<typeof answer>['calls'][number] {
  if ('problem' in one) return { status: 'refused', problem: one.problem as Problem };
  return { status: 'queued', id: one.callId, call_id: one.publicId, message: one.message };
}
