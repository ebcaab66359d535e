import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { recordAction } from '../../access/audit.ts';
import type { Ledger } from '../../call/ledger/ledger.ts';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { holderOf } from '../authenticate.ts';
import { exportCalls, exportFormats } from '../call-export.ts';
import { callFilterQuery, filterOf, gatherMetadata } from '../call-query.ts';
import { problemResponses } from '../problem.ts';

const types = { jsonl: 'application/jsonl', csv: 'text/csv' } as const;

/** `GET /export/calls`. */
export const exportRoute: FastifyPluginAsyncZod<{ ledger: Ledger; rows: WorkspaceRows }> = async (
  app,
  { ledger, rows },
) => {
  app.get(
    '/export/calls',
    {
      config: { scope: 'manage' },
      // It would read everything, as fast as it can, for nobody.
      exposeHeadRoute: false,
      preValidation: gatherMetadata,
      schema: {
        tags: ['calls'],
        summary: 'All calls of a period, the oldest first, as one stream',
        description:
          'JSON Lines: each line is what `GET /api/calls/{id}` answers. CSV: RFC 4180, without what was said. An answer that breaks off before its end is incomplete: ask again.',
        security: [{ apiKey: [] }],
        querystring: callFilterQuery.extend({ format: z.enum(exportFormats).default('jsonl') }),
        response: {
          200: {
            description: 'the calls',
            content: {
              [types.jsonl]: { schema: z.string() },
              [types.csv]: { schema: z.string() },
            },
          },
          ...problemResponses(400, 401, 403, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { format, ...query } = request.query;
      // What begins meanwhile is not waited for.
      const filter = { ...filterOf(query), until: filterOf(query).until ?? new Date() };
      const pieces = exportCalls(ledger, filter, format);
      // The first piece is there before the answer begins: a database that is away gives a problem.
      const first = await pieces.next();
      await recordAction(rows, {
        actor: holderOf(request),
        action: 'export.calls',
        detail: {
          format,
          since: filter.since?.toISOString(),
          until: filter.until.toISOString(),
          filters: Object.entries(query).flatMap(([name, value]) =>
            value === undefined ? [] : [name],
          ),
        },
      });
      const answer = reply as unknown as FastifyReply;
      return answer
        .type(`${types[format]}; charset=utf-8`)
        .header('content-disposition', `attachment; filename="calls.${format}"`)
        .send(Readable.from(withFirst(first, pieces), { objectMode: false }));
    },
  );
};

async function* withFirst(
  first: IteratorResult<string, void>,
  rest: AsyncGenerator<string, void, undefined>,
): AsyncGenerator<string, void, undefined> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
