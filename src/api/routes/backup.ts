import { Readable } from 'node:stream';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { recordAction } from '../../access/audit.ts';
import { backupLines } from '../../backup/backup-lines.ts';
import type { Database } from '../../platform/database.ts';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { holderOf } from '../authenticate.ts';
import { problemResponses } from '../problem.ts';

/** `GET /backup`: all that is in the database, for `trunkline backup`. */
export const backupRoute: FastifyPluginAsyncZod<{ db: Database; rows: WorkspaceRows }> = async (
  app,
  { db, rows },
) => {
  app.get(
    '/backup',
    {
      config: { scope: 'manage' },
      // It would read everything, as fast as it can, for nobody.
      exposeHeadRoute: false,
      schema: {
        tags: ['operation'],
        summary: 'Everything in the database, as lines of JSON',
        description:
          'For `trunkline backup`. Holds personal data and the secrets of webhooks. Its last line is ' +
          '`{"end":true,…}`; without it the answer is not whole.',
        security: [{ apiKey: [] }],
        response: {
          200: {
            description: 'The rows of all tables',
            content: { 'application/jsonl': { schema: z.string() } },
          },
          ...problemResponses(401, 403, 500, 503),
        },
      },
    },
    async (request, reply) => {
      await recordAction(rows, { actor: holderOf(request), action: 'backup.create' });
      return reply
        .type('application/jsonl')
        .serializer((payload: unknown) => payload as string)
        .send(Readable.from(backupLines(db)) as never);
    },
  );
};
