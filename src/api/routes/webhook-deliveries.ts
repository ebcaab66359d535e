import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { deliveryStates } from '../../webhook/delivery-state.ts';
import { CALLBACK } from '../../webhook/outgoing-event.ts';
import type { DeliveryRow } from '../../webhook/schema.ts';
import { holderOf } from '../authenticate.ts';
import { ApiProblem, invalidField, problemResponses } from '../problem.ts';
import { isStorable, refuseUnstorable, storableTime } from '../storable-body.ts';
import { webhookEventTypes } from '../webhooks/event-types.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { endpointId, known } from './webhooks.ts';

const text = z.string().min(1).max(200).refine(isStorable, 'holds a character that no id has');
const time = z.iso.datetime();
const moment = z.iso.datetime({ offset: true });

const deliverySchema = z.object({
  id: z.string(),
  receiver: z.string().describe('id of an endpoint, or `callback`: the `callback_url` of the call'),
  event_id: z.string().describe('the `webhook-id` under which it is sent, however often'),
  type: z.string(),
  call: z.string().nullable().describe('opaque id; null where the event is about no call'),
  state: z.enum(deliveryStates).describe('`dead`: given up after a day of attempts'),
  attempts: z.number().int(),
  created_at: time,
  next_attempt_at: time.nullable(),
  delivered_at: time.nullable(),
  last_status: z.number().int().nullable().describe('what the receiver answered last'),
  last_error: z.string().nullable().describe('why the last attempt failed'),
});

const params = z.object({ id: z.string().max(200).describe('`whd_…`') });
const tags = ['webhooks'];

/** What became of events on their way: `/webhooks/deliveries`, and sending them again. */
export const webhookDeliveryRoutes: FastifyPluginAsyncZod<{ webhooks: Webhooks }> = async (
  app,
  { webhooks },
) => {
  const { deliveries, endpoints } = webhooks;

  app.get(
    '/webhooks/deliveries',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        summary: 'Events on their way to their receivers, newest first',
        description: '`state=dead` is the list of those that were given up. Kept for 30 days.',
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(200).default(50),
          cursor: z
            .string()
            .regex(/^whd_[0-9a-z]{26}$/, 'must be the next_cursor of an earlier answer')
            .optional()
            .describe('`next_cursor` of the page before'),
          state: z.enum(deliveryStates).optional(),
          endpoint: text.optional().describe('id of an endpoint, or `callback`'),
          call: text.optional().describe('opaque id of a call'),
          type: z.enum(webhookEventTypes).optional(),
        }),
        response: {
          200: z.object({
            deliveries: z.array(deliverySchema),
            next_cursor: z.string().nullable().describe('null on the last page'),
          }),
          ...problemResponses(400),
        },
      },
    },
    async ({ query: { limit, cursor, state, endpoint, call, type } }) => {
      const rows = await deliveries.list({
        state,
        receiver: endpoint,
        callId: call,
        type,
        before: cursor,
        // One more than asked for tells whether there is a next page.
        limit: limit + 1,
      });
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      return { deliveries: page.map(viewDelivery), next_cursor: last?.id ?? null };
    },
  );

  app.get(
    '/webhooks/deliveries/:id',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        summary: 'One delivery, with what is sent',
        params,
        response: {
          200: deliverySchema.extend({
            payload: z
              .record(z.string(), z.unknown())
              .nullable()
              .describe('the body; null where the call was erased'),
          }),
          ...problemResponses(400, 404),
        },
      },
    },
    async ({ params: { id } }) => {
      const row = isStorable(id) ? await deliveries.find(id) : undefined;
      if (!row) throw unknownDelivery();
      return { ...viewDelivery(row), payload: row.payload };
    },
  );

  app.post(
    '/webhooks/deliveries/:id/replay',
    {
      config: { scope: 'manage' },
      schema: {
        tags,
        summary: 'Send an event again that was delivered or given up',
        description: 'As it was, under the same `webhook-id`, with a new day of attempts.',
        params,
        response: { 202: deliverySchema, ...problemResponses(400, 404, 409, 410, 413, 415) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const row = isStorable(id) ? await deliveries.find(id) : undefined;
      if (!row) throw unknownDelivery();
      if (row.receiver !== CALLBACK) await requireEnabled(row.receiver);
      const outcome = await deliveries.replay(holderOf(request), id);
      switch (outcome) {
        case 'unknown':
          throw unknownDelivery();
        case 'erased':
          throw new ApiProblem('gone', 'What it held was erased with its call.');
        case 'not_ended':
          throw new ApiProblem('not-delivered', 'It is on its way already, and tried again.');
        case 'replayed': {
          webhooks.nudge();
          const now = await deliveries.find(id);
          return reply.code(202).send(viewDelivery(now ?? row));
        }
      }
    },
  );

  app.post(
    '/webhooks/:id/replay',
    {
      config: { scope: 'manage' },
      preValidation: refuseUnstorable,
      schema: {
        tags,
        summary: 'Send an endpoint again what went to it in a period',
        description:
          "What was delivered or given up, by when the event was written; each call's events in their order.",
        params: z.object({ id: endpointId }),
        body: z.strictObject({
          from: moment.describe('at this time or later'),
          to: moment.describe('before this time'),
          types: z.array(z.enum(webhookEventTypes)).min(1).optional().describe('absent: all'),
        }),
        response: {
          202: z.object({ replayed: z.number().int().describe('how many') }),
          ...problemResponses(400, 404, 409, 413, 415),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { from, to, types } = request.body;
      known(isStorable(id) ? await endpoints.find(id) : undefined);
      await requireEnabled(id);
      const period = { from: storableTime(from), to: storableTime(to), types };
      if (period.to <= period.from) throw invalidField('to', 'must be later than from');
      const replayed = await deliveries.replayPeriod(holderOf(request), id, period);
      webhooks.nudge();
      return reply.code(202).send({ replayed });
    },
  );

  async function requireEnabled(id: string): Promise<void> {
    const endpoint = await endpoints.find(id);
    if (endpoint?.enabled) return;
    throw new ApiProblem('endpoint-disabled', 'Enable the endpoint first; nothing goes to it now.');
  }
};

function unknownDelivery(): ApiProblem {
  return new ApiProblem(
    'not-found',
    'There is no delivery with this id; they are kept for 30 days.',
  );
}

function viewDelivery(row: DeliveryRow): z.infer<typeof deliverySchema> {
  return {
    id: row.id,
    receiver: row.receiver,
    event_id: row.eventId,
    type: row.type,
    call: row.callId,
    state: row.state,
    attempts: row.attempts,
    created_at: row.createdAt.toISOString(),
    next_attempt_at: row.state === 'pending' ? row.dueAt.toISOString() : null,
    delivered_at: row.deliveredAt?.toISOString() ?? null,
    last_status: row.lastStatus,
    last_error: row.lastError,
  };
}
