import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { outboundCallBody } from '../../call/order.ts';
import type { OutboundDesk } from '../outbound-desk.ts';
import { problemResponses } from '../problem.ts';
import { refuseUnstorable } from '../storable-body.ts';

export const idempotencyHeader = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters without spaces')
    .optional()
    .describe('the same key and body get the same answer for 24 h, and one call'),
});

/** `POST /outbound-call`. */
export const outboundCallRoute: FastifyPluginAsyncZod<{ desk: OutboundDesk }> = async (
  app,
  { desk },
) => {
  app.post(
    '/outbound-call',
    {
      config: { scope: 'call' },
      preValidation: refuseUnstorable,
      schema: {
        tags: ['calls'],
        summary: 'Have an agent call a number',
        security: [{ apiKey: [] }],
        headers: idempotencyHeader,
        body: outboundCallBody,
        response: {
          200: z.object({
            status: z.literal('queued'),
            call_id: z.string().describe('outbound-YYYYMMDD-HHMMSS-number, in UTC'),
            message: z.string(),
          }),
          ...problemResponses(400, 401, 403, 413, 415, 422, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const answer = await desk.place(request.body, request.headers['idempotency-key']);
      reply.header('x-call-id', answer.callId);
      return { status: 'queued' as const, call_id: answer.publicId, message: answer.message };
    },
  );
};
