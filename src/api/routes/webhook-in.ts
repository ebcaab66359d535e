import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Access } from '../../access/access.ts';
import type { Holder } from '../../access/key-ring.ts';
import { outboundCallBody } from '../../call/order.ts';
import { isSigned, verifySigned } from '../../webhook/signed-request.ts';
import { authenticate } from '../authenticate.ts';
import type { CallControl } from '../call-control.ts';
import { callSchema, viewCall } from '../call-view.ts';
import type { OutboundDesk } from '../outbound-desk.ts';
import { ApiProblem, problemResponses } from '../problem.ts';
import { refuseUnstorable } from '../storable-body.ts';
import { idempotencyHeader } from './outbound-call.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came, for its signature. */
    rawBody: Buffer | null;
    /** What is the same where a signed request comes again; null where a key came with it. */
    signedId: string | null;
  }
}

/** Whoever knows `WEBHOOK_SECRET`. */
const SIGNER: Holder = {
  id: 'webhook-secret',
  name: 'WEBHOOK_SECRET',
  scopes: ['call'],
  rateLimit: null,
};

const timestamp = z
  .union([z.iso.datetime({ offset: true }), z.int().nonnegative()])
  .optional()
  .describe('now, ISO 8601 or seconds; wanted where the request is signed by X-Signature');

const bodySchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ping'), timestamp }),
  outboundCallBody.extend({ type: z.literal('outbound_call'), timestamp }),
  z.strictObject({
    type: z.literal('call.hangup'),
    timestamp,
    call: z.string().min(1).max(200).describe('opaque or public id of the call'),
  }),
]);

const types = bodySchema.options.map(({ shape }) => shape.type.value);

const answerSchema = z.union([
  z.object({ type: z.literal('pong'), timestamp: z.iso.datetime() }).describe('of a ping'),
  z
    .object({ status: z.literal('queued'), call_id: z.string(), message: z.string() })
    .describe('of outbound_call, the same as of POST /api/outbound-call'),
  callSchema.describe('of call.hangup: the call as it is now'),
]);

export type WebhookInDeps = {
  access: Access;
  /** Absent: only keys are accepted. */
  secret: string | undefined;
  desk: Pick<OutboundDesk, 'place'>;
  control: Pick<CallControl, 'hangup'>;
};

/** `POST /webhook`: for systems that can only send webhooks. Looks after keys itself, since a signature does as well. */
export const webhookInRoute: FastifyPluginAsyncZod<WebhookInDeps> = async (app, deps) => {
  const { access, secret, desk, control } = deps;
  const withKey = authenticate(access);
  app.decorateRequest('rawBody', null);
  app.decorateRequest('signedId', null);

  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const raw = Buffer.isBuffer(body) ? body : Buffer.from(body);
    request.rawBody = raw;
    // It answers through `done`.
    void parseJson(request, raw.toString('utf8'), done);
  });

  app.post(
    '/webhook',
    {
      config: { scope: 'call' },
      onRequest: async (request, reply) => {
        if (!mayBeSigned(request)) await withKey(request, reply);
      },
      preValidation: [checkSignature, refuseUnstorable, refuseUnknownType],
      schema: {
        tags: ['webhooks'],
        summary: 'Do what a webhook asks for: ping, outbound_call, call.hangup',
        description:
          'The fields stand flat beside `type`. Instead of bringing a key, a request may be signed with WEBHOOK_SECRET; see docs/webhooks.md.',
        headers: idempotencyHeader,
        querystring: z.strictObject({
          t: z.string().optional().describe('time of the signature `v1`, in seconds'),
          v1: z.string().optional().describe('HMAC-SHA256 in hex over `t`, a dot and the body'),
        }),
        body: bodySchema,
        response: {
          200: answerSchema,
          202: callSchema.describe('of call.hangup: it is being ended'),
          ...problemResponses(400, 404, 409, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      switch (body.type) {
        case 'ping':
          return { type: 'pong' as const, timestamp: new Date().toISOString() };
        case 'outbound_call': {
          const { type: _type, timestamp: _timestamp, ...order } = body;
          const answer = await desk.place(order, idempotencyKey(request));
          reply.header('x-call-id', answer.callId);
          return { status: 'queued' as const, call_id: answer.publicId, message: answer.message };
        }
        case 'call.hangup': {
          const call = await control.hangup(body.call);
          return reply.code(call.status === 'ended' ? 200 : 202).send(viewCall(call));
        }
      }
    },
  );

  function mayBeSigned(request: FastifyRequest): boolean {
    const { headers } = request;
    const hasKey = headers['x-api-key'] !== undefined || headers.authorization !== undefined;
    return !hasKey && secret !== undefined && isSigned(signedPartsOf(request));
  }

  async function checkSignature(request: FastifyRequest, _reply: FastifyReply): Promise<void> {
    if (request.holder || secret === undefined) return;
    const verdict = verifySigned(
      {
        ...signedPartsOf(request),
        body: request.rawBody ?? Buffer.alloc(0),
        timestamp: memberOf(request.body, 'timestamp'),
      },
      secret,
      Date.now(),
    );
    if (!verdict.ok) throw new ApiProblem('unauthorized', `The signature: ${verdict.reason}.`);
    request.holder = SIGNER;
    request.signedId = verdict.id;
  }
};

async function refuseUnknownType(request: FastifyRequest): Promise<void> {
  const type = memberOf(request.body, 'type');
  if (typeof type !== 'string' || types.some((known) => known === type)) return;
  throw new ApiProblem('unknown-type', `There are: ${types.join(', ')}.`, {
    errors: [{ field: 'type', reason: 'there is no such type' }],
    types: [...types],
  });
}

/** A signed request that comes again places no second call. */
function idempotencyKey(request: FastifyRequest): string | undefined {
  if (request.signedId !== null) return `signed:${request.signedId}`;
  const header = request.headers['idempotency-key'];
  return typeof header === 'string' ? header : undefined;
}

function signedPartsOf({ headers, query }: FastifyRequest) {
  const parts: unknown = query;
  return { headers, query: typeof parts === 'object' && parts ? { ...parts } : {} };
}

function memberOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}
