import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Keys } from '../../access/keys.ts';
import type { ApiKeyRow } from '../../access/schema.ts';
import { permits, scopes, type Scope } from '../../access/scope.ts';
import { holderOf } from '../authenticate.ts';
import { ApiProblem, invalidField, problemResponses } from '../problem.ts';
import { isStorable } from '../storable-body.ts';

const MOST_PER_MINUTE = 1_000_000;
const LONGEST_MS = 10 * 366 * 24 * 60 * 60_000;

/** What `isName` wants, as far as JSON Schema can say it. */
const NAME_PATTERN =
  '^[^\\s\\u0000-\\u001f\\u007f]([^\\u0000-\\u001f\\u007f]*[^\\s\\u0000-\\u001f\\u007f])?$';

const newKeySchema = z.strictObject({
  name: z
    .string()
    .max(100)
    .refine(isName, 'must be one line of text that neither begins nor ends with a blank')
    .describe('whose it is, for people')
    .meta({ pattern: NAME_PATTERN, examples: ['n8n'] }),
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .max(scopes.length)
    .describe('what it permits; `call` includes `read`, `manage` includes both'),
  expires_at: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('until when it is good, ten years ahead at most; absent: until it is revoked'),
  rate_limit: z
    .number()
    .int()
    .min(1)
    .max(MOST_PER_MINUTE)
    .optional()
    .describe('requests a minute; absent: as many as come'),
});

const time = z.string().meta({ format: 'date-time' });

const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string().describe('the first characters of the key'),
  scopes: z.array(z.enum(scopes)),
  state: z.enum(['active', 'expired', 'revoked']),
  rate_limit: z.number().int().nullable().describe('requests a minute; null: as many as come'),
  created_at: time,
  expires_at: time.nullable(),
  revoked_at: time.nullable(),
  last_used_at: time.nullable().describe('to the minute'),
});

const keyId = z.string().max(200).describe('`key_…`');

/** `POST /keys`, `GET /keys` and `DELETE /keys/:id`. */
export const keyRoutes: FastifyPluginAsyncZod<{ keys: Keys }> = async (app, { keys }) => {
  app.post(
    '/keys',
    {
      config: { scope: 'manage' },
      schema: {
        tags: ['access'],
        summary: 'Make a key',
        description: 'The answer holds the key; it is shown this once, and only its hash is kept.',
        body: newKeySchema,
        response: {
          201: keySchema.extend({ key: z.string().describe('send it as X-API-Key') }),
          ...problemResponses(400, 413, 415),
        },
      },
    },
    async (request, reply) => {
      const { name, scopes: wanted, expires_at, rate_limit } = request.body;
      const holder = holderOf(request);
      refuseMore(holder.scopes, wanted);
      const { key, row } = await keys.create(holder, {
        name,
        scopes: wanted,
        expiresAt: expires_at === undefined ? undefined : futureOf(expires_at),
        rateLimit: rate_limit,
      });
      reply.header('cache-control', 'no-store').code(201);
      return { ...viewKey(row), key };
    },
  );

  app.get(
    '/keys',
    {
      config: { scope: 'manage' },
      schema: {
        tags: ['access'],
        summary: 'List the keys, newest first',
        description: 'The key of the configuration, API_KEY, is none of them.',
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(200).default(50),
          cursor: z
            .string()
            .regex(/^key_[0-9a-z]{26}$/, 'must be the next_cursor of an earlier answer')
            .optional()
            .describe('`next_cursor` of the page before'),
        }),
        response: {
          200: z.object({
            keys: z.array(keySchema),
            next_cursor: z.string().nullable().describe('null on the last page'),
          }),
          ...problemResponses(400),
        },
      },
    },
    async ({ query: { limit, cursor } }) => {
      const rows = await keys.list({ before: cursor, limit: limit + 1 });
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      return { keys: page.map(viewKey), next_cursor: last?.id ?? null };
    },
  );

  app.delete(
    '/keys/:id',
    {
      config: { scope: 'manage' },
      schema: {
        tags: ['access'],
        summary: 'Revoke a key for good',
        description:
          'At once in the api that is asked, within 5 s in others. A key that is revoked already stays so.',
        params: z.object({ id: keyId }),
        response: { 200: keySchema, ...problemResponses(400, 404) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const row = isStorable(id) ? await keys.revoke(holderOf(request), id) : undefined;
      if (!row) throw new ApiProblem('not-found', 'There is no key with this id.');
      return viewKey(row);
    },
  );
};

function isName(text: string): boolean {
  return text !== '' && text === text.trim() && !/\p{Cc}|\p{Cs}|\p{Zl}|\p{Zp}/u.test(text);
}

/** Nobody gives away more than they have. */
function refuseMore(held: readonly Scope[], wanted: readonly Scope[]): void {
  const more = wanted.filter((scope) => !permits(held, scope));
  if (more.length === 0) return;
  throw new ApiProblem('forbidden', `Your key itself does not permit ${more.join(', ')}.`);
}

function futureOf(text: string): Date {
  const date = new Date(text);
  const ahead = date.getTime() - Date.now();
  if (ahead > 0 && ahead <= LONGEST_MS) return date;
  throw invalidField('expires_at', 'must be in the future, ten years ahead at most');
}

function viewKey(row: ApiKeyRow): z.infer<typeof keySchema> {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    state: stateOf(row),
    rate_limit: row.rateLimit,
    created_at: row.createdAt.toISOString(),
    expires_at: row.expiresAt?.toISOString() ?? null,
    revoked_at: row.revokedAt?.toISOString() ?? null,
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
  };
}

function stateOf({ revokedAt, expiresAt }: ApiKeyRow): 'active' | 'expired' | 'revoked' {
  if (revokedAt) return 'revoked';
  return expiresAt && expiresAt.getTime() <= Date.now() ? 'expired' : 'active';
}
