import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isCallId } from '../../call/call-id.ts';
import { callDirections, callStatuses } from '../../call/ledger/call-state.ts';
import type { Ledger } from '../../call/ledger/ledger.ts';
import { outcomes } from '../../call/outcome.ts';
import { callDetailSchema, callSchema, viewCall, viewCallDetail } from '../call-view.ts';
import { ApiProblem, problemResponses } from '../problem.ts';
import { isStorable } from '../storable-body.ts';

const name = z.string().max(200).refine(isStorable, 'holds a character that no name has');

const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .refine(isCallId, 'must be the next_cursor of an earlier answer')
    .optional()
    .describe('`next_cursor` of the page before'),
  direction: z.enum(callDirections).optional(),
  status: z.enum(callStatuses).optional(),
  outcome: z.enum(outcomes).optional(),
  trunk: name.optional(),
  sip_call_id: name.optional(),
});

const security = [{ apiKey: [] }];

/** `GET /calls` and `GET /calls/:id`. */
export const callRoutes: FastifyPluginAsyncZod<{ ledger: Ledger }> = async (app, { ledger }) => {
  app.get(
    '/calls',
    {
      schema: {
        tags: ['calls'],
        summary: 'List calls, newest first',
        security,
        querystring: listQuery,
        response: {
          200: z.object({
            calls: z.array(callSchema),
            next_cursor: z.string().nullable().describe('null on the last page'),
          }),
          ...problemResponses(400, 401, 500, 503),
        },
      },
    },
    async ({ query }) => {
      // One more than asked for tells whether there is a next page.
      const rows = await ledger.list({
        direction: query.direction,
        status: query.status,
        trunk: query.trunk,
        outcome: query.outcome,
        sipCallId: query.sip_call_id,
        before: query.cursor,
        limit: query.limit + 1,
      });
      const page = rows.slice(0, query.limit);
      const last = rows.length > query.limit ? page.at(-1) : undefined;
      return { calls: page.map(viewCall), next_cursor: last?.id ?? null };
    },
  );

  app.get(
    '/calls/:id',
    {
      schema: {
        tags: ['calls'],
        summary: 'One call: its state, timeline and turns',
        security,
        params: z.object({ id: z.string().describe('opaque id, or the public `call_id`') }),
        response: { 200: callDetailSchema, ...problemResponses(400, 401, 404, 500, 503) },
      },
    },
    async ({ params }) => {
      const record = isStorable(params.id) ? await ledger.find(params.id) : undefined;
      if (!record) throw new ApiProblem('not-found', 'There is no call with this id.');
      return viewCallDetail(record);
    },
  );
};
