import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { CallId } from '../../call/call-id.ts';
import type { Ledger } from '../../call/ledger/ledger.ts';
import { callFilterQuery, filterOf, gatherMetadata } from '../call-query.ts';
import { callDetailSchema, callSchema, viewCall, viewCallDetail } from '../call-view.ts';
import { ApiProblem, problemResponses } from '../problem.ts';
import { isStorable } from '../storable-body.ts';

const listQuery = callFilterQuery.extend({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .regex(/^call_[0-9a-z]{26}$/, 'must be the next_cursor of an earlier answer')
    .optional()
    .describe('`next_cursor` of the page before'),
  order: z
    .enum(['desc', 'asc'])
    .default('desc')
    .describe('`desc`: the newest first; `asc`: the oldest first'),
});

const security = [{ apiKey: [] }];

/** `GET /calls` and `GET /calls/:id`. */
export const callRoutes: FastifyPluginAsyncZod<{ ledger: Ledger }> = async (app, { ledger }) => {
  app.get(
    '/calls',
    {
      config: { scope: 'read' },
      preValidation: gatherMetadata,
      schema: {
        tags: ['calls'],
        summary: 'List calls, newest first',
        description: 'All filters that are given must fit. What happens meanwhile shifts no page.',
        security,
        querystring: listQuery,
        response: {
          200: z.object({
            calls: z.array(callSchema),
            next_cursor: z.string().nullable().describe('null on the last page'),
          }),
          ...problemResponses(400, 401, 403, 500, 503),
        },
      },
    },
    async ({ query }) => {
      const { order, limit } = query;
      // Its pattern is a call id's.
      const cursor = query.cursor as CallId | undefined;
      // One more than asked for tells whether there is a next page.
      const rows = await ledger.list({
        ...filterOf(query),
        order,
        ...(order === 'asc' ? { after: cursor } : { before: cursor }),
        limit: limit + 1,
      });
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      return { calls: page.map(viewCall), next_cursor: last?.id ?? null };
    },
  );

  app.get(
    '/calls/:id',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['calls'],
        summary: 'One call: its state, timeline, turns, latencies, usage and order',
        security,
        params: z.object({ id: z.string().describe('opaque id, or the public `call_id`') }),
        response: { 200: callDetailSchema, ...problemResponses(400, 401, 403, 404, 500, 503) },
      },
    },
    async ({ params }) => {
      const record = isStorable(params.id) ? await ledger.find(params.id) : undefined;
      if (!record) throw new ApiProblem('not-found', 'There is no call with this id.');
      return viewCallDetail(record);
    },
  );
};
