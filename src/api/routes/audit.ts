import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listActions } from '../../access/audit.ts';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { problemResponses } from '../problem.ts';
import { storableText, storableTime } from '../storable-body.ts';

const text = storableText(200);
const time = z.iso.datetime({ offset: true });

const recordSchema = z.object({
  id: z.string(),
  at: z.string().meta({ format: 'date-time' }),
  actor: z.object({
    id: z.string().describe('id of the key; `root` for API_KEY of the configuration'),
    name: z.string().describe('its name at the time'),
  }),
  action: z.string(),
  subject: z.string().nullable().describe('id of what was changed'),
  detail: z.record(z.string(), z.unknown()),
});

/** `GET /audit`. */
export const auditRoute: FastifyPluginAsyncZod<{ rows: WorkspaceRows }> = async (app, { rows }) => {
  app.get(
    '/audit',
    {
      config: { scope: 'manage' },
      schema: {
        tags: ['access'],
        summary: 'Who changed what, newest first',
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(200).default(50),
          cursor: z
            .string()
            .regex(/^aud_[0-9a-z]{26}$/, 'must be the next_cursor of an earlier answer')
            .optional()
            .describe('`next_cursor` of the page before'),
          action: text.optional().describe('`key.create`; or `key`, for all that concerns keys'),
          actor: text.optional().describe('id of a key, or `root`'),
          subject: text.optional().describe('id of what was changed'),
          since: time.optional().describe('at this time or later'),
          until: time.optional().describe('before this time'),
        }),
        response: {
          200: z.object({
            records: z.array(recordSchema),
            next_cursor: z.string().nullable().describe('null on the last page'),
          }),
          ...problemResponses(400),
        },
      },
    },
    async ({ query }) => {
      const { limit, cursor, since, until, ...same } = query;
      const found = await listActions(rows, {
        ...same,
        since: since === undefined ? undefined : storableTime(since),
        until: until === undefined ? undefined : storableTime(until),
        before: cursor,
        // One more than asked for tells whether there is a next page.
        limit: limit + 1,
      });
      const page = found.slice(0, limit);
      return {
        records: page.map((row) => ({
          id: row.id,
          at: row.at.toISOString(),
          actor: { id: row.actor, name: row.actorName },
          action: row.action,
          subject: row.subject,
          detail: row.detail,
        })),
        next_cursor: (found.length > limit ? page.at(-1)?.id : undefined) ?? null,
      };
    },
  );
};
