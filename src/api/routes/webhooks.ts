import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { permits } from '../../access/scope.ts';
import { refusal } from '../../webhook/attempt.ts';
import { MOST_ENDPOINTS, secretsOf } from '../../webhook/endpoints.ts';
import type { EndpointRow } from '../../webhook/schema.ts';
import { holderOf } from '../authenticate.ts';
import { ApiProblem, invalidField, problemResponses } from '../problem.ts';
import { isStorable, refuseUnstorable } from '../storable-body.ts';
import { webhookEventTypes } from '../webhooks/event-types.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';

const eventTypes = z
  .array(z.enum(webhookEventTypes))
  .max(webhookEventTypes.length)
  .describe(
    'types of events that it is told of; empty: all, also those that come with later versions',
  );

const fields = {
  url: z
    .string()
    .max(2000)
    .regex(
      /^https?:\/\/[^\s/?#@\\]+([/?#]\S*)?$/i,
      'must be an http or https URL without a password',
    )
    .refine((url) => URL.canParse(url), 'is not a URL')
    .describe('where events are posted to; keys without the scope `manage` see only its host')
    .meta({ examples: ['https://n8n.example.com/webhook/trunkline'] }),
  description: z.string().max(500).describe('for people'),
  events: eventTypes,
  enabled: z.boolean(),
};

const newEndpointSchema = z.strictObject({
  ...fields,
  description: fields.description.default(''),
  events: fields.events.default([]),
  enabled: fields.enabled.default(true),
});

const changeSchema = z.strictObject({
  url: fields.url.optional(),
  description: fields.description.optional(),
  events: fields.events.optional(),
  enabled: fields.enabled.optional(),
});

const time = z.iso.datetime();

const endpointSchema = z.object({
  id: z.string(),
  url: z.string(),
  description: z.string(),
  events: z.array(z.string()),
  enabled: z.boolean(),
  disabled_reason: z.string().nullable().describe('why we disabled it ourselves'),
  secrets: z.number().int().describe('2 for a day after its secret was changed: both sign'),
  created_at: time,
  updated_at: time,
});

const withSecret = endpointSchema.extend({
  secret: z.string().describe('`whsec_…`: deliveries are signed with it. Shown this once.'),
});

export const endpointId = z.string().max(200).describe('`whe_…`');
const params = z.object({ id: endpointId });
const tags = ['webhooks'];

/** The endpoints that are told of events: `/webhooks`. */
export const webhookRoutes: FastifyPluginAsyncZod<{ webhooks: Webhooks }> = async (
  app,
  { webhooks },
) => {
  const { endpoints } = webhooks;
  const requireReachable = (url: string | undefined): void => {
    const refused =
      url === undefined ? undefined : webhooks.http.refusalOfHost(new URL(url).hostname);
    if (!refused) return;
    throw invalidField('url', refusal(refused));
  };

  app.post(
    '/webhooks',
    {
      config: { scope: 'manage' },
      preValidation: refuseUnstorable,
      schema: {
        tags,
        summary: 'Have an endpoint told of events',
        body: newEndpointSchema,
        response: { 201: withSecret, ...problemResponses(400, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      requireReachable(request.body.url);
      const row = await endpoints.create(holderOf(request), request.body);
      if (!row) {
        throw new ApiProblem('too-many-endpoints', `There are ${MOST_ENDPOINTS}; delete one.`);
      }
      reply.code(201).header('cache-control', 'no-store');
      return { ...viewEndpoint(row, true), secret: row.secret };
    },
  );

  app.get(
    '/webhooks',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        summary: 'Who is told of events',
        response: { 200: z.object({ endpoints: z.array(endpointSchema) }) },
      },
    },
    async (request) => {
      const whole = permits(holderOf(request).scopes, 'manage');
      return { endpoints: (await endpoints.list()).map((row) => viewEndpoint(row, whole)) };
    },
  );

  app.get(
    '/webhooks/:id',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        summary: 'One endpoint',
        params,
        response: { 200: endpointSchema, ...problemResponses(400, 404) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const whole = permits(holderOf(request).scopes, 'manage');
      return viewEndpoint(known(isStorable(id) ? await endpoints.find(id) : undefined), whole);
    },
  );

  app.patch(
    '/webhooks/:id',
    {
      config: { scope: 'manage' },
      preValidation: refuseUnstorable,
      schema: {
        tags,
        summary: 'Change an endpoint',
        description:
          'While it is disabled, no event is kept for it; what was on its way waits a day for it to be enabled.',
        params,
        body: changeSchema,
        response: { 200: endpointSchema, ...problemResponses(400, 404, 413, 415) },
      },
    },
    async (request) => {
      const { id } = request.params;
      requireReachable(request.body.url);
      const change = Object.fromEntries(
        Object.entries(request.body).filter(([, value]) => value !== undefined),
      );
      const row = isStorable(id)
        ? await endpoints.change(holderOf(request), id, change)
        : undefined;
      webhooks.nudge();
      return viewEndpoint(known(row), true);
    },
  );

  app.delete(
    '/webhooks/:id',
    {
      config: { scope: 'manage' },
      schema: {
        tags,
        summary: 'Tell an endpoint nothing more',
        description: 'What is on its way to it is given up.',
        params,
        response: { 204: z.null().describe('deleted'), ...problemResponses(400, 404) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      known(isStorable(id) ? await endpoints.remove(holderOf(request), id) : undefined);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/webhooks/:id/secret',
    {
      config: { scope: 'manage' },
      schema: {
        tags,
        summary: 'Give an endpoint a new secret',
        description:
          'For 24 h deliveries are signed with the old one too: put the new one into the receiver in that time.',
        params,
        response: { 200: withSecret, ...problemResponses(400, 404, 413, 415) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const row = known(isStorable(id) ? await endpoints.rotate(holderOf(request), id) : undefined);
      reply.header('cache-control', 'no-store');
      return { ...viewEndpoint(row, true), secret: row.secret };
    },
  );

  app.post(
    '/webhooks/:id/test',
    {
      config: { scope: 'manage' },
      schema: {
        tags,
        summary: 'Send an endpoint a webhook.test now, once',
        description: 'The answer tells how it went. It is on record among the deliveries.',
        params,
        response: {
          200: z.object({
            delivered: z.boolean(),
            status: z.number().int().nullable().describe('what the receiver answered'),
            error: z.string().nullable().describe('what to do about it'),
            event_id: z.string(),
          }),
          ...problemResponses(400, 404, 413, 415),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const endpoint = known(isStorable(id) ? await endpoints.find(id) : undefined);
      const { result, eventId } = await webhooks.test(endpoint);
      return {
        delivered: result.kind === 'delivered',
        status: 'status' in result ? (result.status ?? null) : null,
        error: 'reason' in result ? result.reason : null,
        event_id: eventId,
      };
    },
  );
};

export function known<R>(row: R | undefined): R {
  if (row === undefined) throw new ApiProblem('not-found', 'There is no endpoint with this id.');
  return row;
}

/** @param whole with the query of the URL, in which many receivers have a secret */
function viewEndpoint(row: EndpointRow, whole: boolean): z.infer<typeof endpointSchema> {
  return {
    id: row.id,
    url: whole ? row.url : masked(row.url),
    description: row.description,
    events: row.events,
    enabled: row.enabled,
    disabled_reason: row.disabledReason,
    secrets: secretsOf(row).length,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

function masked(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? url : `${origin}/…`;
}
