import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { CallRow } from '../../call/ledger/schema.ts';
import type { CallControl } from '../call-control.ts';
import { callSchema, viewCall } from '../call-view.ts';
import { problemResponses } from '../problem.ts';
import { refuseUnstorable } from '../storable-body.ts';

const tags = ['calls'];
const params = z.object({ id: z.string().describe('opaque id, or the public `call_id`') });

const headers = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters without spaces')
    .optional()
    .describe('the same key and body are carried out once in 24 h'),
});

const endedCall = {
  200: callSchema.describe('the call, which has ended'),
  202: callSchema.describe('the call, which is about to end'),
};

const done = {
  200: z.object({ status: z.literal('done') }),
  202: z
    .object({ status: z.literal('accepted') })
    .describe("it is being done; the call's timeline tells how it went"),
};

const say = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .describe('last words of the agent, spoken before the end; not where nobody has answered yet');

const digits = z
  .string()
  .regex(/^[0-9*#A-DwW]{1,64}$/, 'must be 1 to 64 of 0-9 * # A-D, and w or W for pauses')
  .refine((text) => /[^wW]/.test(text), 'must hold a key, not only pauses')
  .describe('keys to send; `w` waits 0.5 s, `W` 1 s');

const target = z
  .string()
  .min(1)
  .max(300)
  .describe('number, E.164; or sip:user@host, where `transfer_hosts` of the trunk names the host');

/** What can be done to a call: `POST /calls/:id/hangup`, `/cancel`, `/dtmf` and `/transfer`. */
export const callControlRoutes: FastifyPluginAsyncZod<{ control: CallControl }> = async (
  app,
  { control },
) => {
  const config = { scope: 'call' } as const;
  const common = { config, preValidation: refuseUnstorable };

  app.post(
    '/calls/:id/hangup',
    {
      ...common,
      schema: {
        tags,
        summary: 'End a call, at any stage',
        description:
          'One that nobody has answered is canceled. Works without the agent, too. Repeating it changes nothing.',
        params,
        body: z.strictObject({ say: say.optional() }).nullish(),
        response: {
          ...endedCall,
          ...problemResponses(400, 401, 403, 404, 409, 413, 415, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const call = await control.hangup(request.params.id, request.body?.say);
      return reply.code(statusOf(call)).send(viewCall(call));
    },
  );

  app.post(
    '/calls/:id/cancel',
    {
      ...common,
      schema: {
        tags,
        summary: 'End an outbound call that nobody has answered yet',
        description:
          'Queued, scheduled, being dialled or ringing. Where the answer comes first it is refused. Repeating it changes nothing.',
        params,
        response: {
          ...endedCall,
          ...problemResponses(400, 401, 403, 404, 409, 413, 415, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const call = await control.cancel(request.params.id);
      return reply.code(statusOf(call)).send(viewCall(call));
    },
  );

  app.post(
    '/calls/:id/dtmf',
    {
      ...common,
      schema: {
        tags,
        summary: 'Send keys to the far end',
        description: 'As RFC 4733 events, two keys a second. The keys are neither logged nor kept.',
        params,
        headers,
        body: z.strictObject({ digits }),
        response: {
          ...done,
          ...problemResponses(400, 401, 403, 404, 409, 413, 415, 422, 500, 503, 504),
        },
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key'];
      const carried = await control.sendDigits(request.params.id, request.body.digits, key);
      return carried === 'done'
        ? reply.code(200).send({ status: 'done' as const })
        : reply.code(202).send({ status: 'accepted' as const });
    },
  );

  app.post(
    '/calls/:id/transfer',
    {
      ...common,
      schema: {
        tags,
        summary: 'Hand a call over to somebody else',
        description:
          'A blind transfer (REFER, RFC 3515). Refused by the far end it is a 409, and the agent talks on.',
        params,
        headers,
        body: z.strictObject({ to: target, kind: z.literal('blind').default('blind') }),
        response: {
          ...done,
          ...problemResponses(400, 401, 403, 404, 409, 413, 415, 422, 500, 503, 504),
        },
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key'];
      const carried = await control.transfer(request.params.id, request.body.to, key);
      return carried === 'done'
        ? reply.code(200).send({ status: 'done' as const })
        : reply.code(202).send({ status: 'accepted' as const });
    },
  );
};

function statusOf({ status }: CallRow): 200 | 202 {
  return status === 'ended' ? 200 : 202;
}
