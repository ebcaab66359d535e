import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { holderOf } from '../authenticate.ts';
import { RemainsLeft, type CallEraser } from '../call-eraser.ts';
import { ApiProblem, problemResponses } from '../problem.ts';
import { isStorable, refuseUnstorable } from '../storable-body.ts';

const security = [{ apiKey: [] }];

/** `DELETE /calls/:id` and `POST /erasures`. */
export const erasureRoutes: FastifyPluginAsyncZod<{ eraser: CallEraser }> = async (
  app,
  { eraser },
) => {
  app.delete(
    '/calls/:id',
    {
      config: { scope: 'manage' },
      schema: {
        tags: ['calls'],
        summary: 'Remove the personal data of a call that has ended',
        description:
          'The shell stays: times, outcome, trunk, personality, usage. Repeating it changes nothing.',
        security,
        params: z.object({
          id: z.string().describe('opaque id, or the public `call_id`, which is erased with it'),
        }),
        response: {
          204: z.null().describe('erased, now or before'),
          ...problemResponses(400, 401, 403, 404, 409, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const erased = isStorable(id)
        ? await completely(async () => eraser.erase(id, holderOf(request)))
        : 'unknown';
      switch (erased) {
        case 'unknown':
          throw new ApiProblem('not-found', 'There is no call with this id.');
        case 'not_ended':
          throw new ApiProblem(
            'not-ended',
            'The call has not ended. Cancel it or hang up, and erase it then.',
          );
        case 'erased':
          return reply.code(204).send(null);
      }
    },
  );

  app.post(
    '/erasures',
    {
      config: { scope: 'manage' },
      preValidation: refuseUnstorable,
      schema: {
        tags: ['calls'],
        summary: 'Remove the personal data of all ended calls from or to a number',
        security,
        body: z.strictObject({
          number: z.string().min(1).max(200).describe('exactly as the calls have it, E.164'),
        }),
        response: {
          200: z.object({
            erased: z.number().int().describe('how many calls were erased'),
            not_ended: z.array(z.string()).describe('calls that go on: erase them when they ended'),
          }),
          ...problemResponses(400, 401, 403, 413, 415, 500, 503),
        },
      },
    },
    async (request) => {
      const { number } = request.body;
      const { erased, open } = await completely(async () =>
        eraser.erasePerson(number, holderOf(request)),
      );
      return { erased, not_ended: open };
    },
  );
};

async function completely<R>(erase: () => Promise<R>): Promise<R> {
  try {
    return await erase();
  } catch (thrown) {
    if (!(thrown instanceof RemainsLeft)) throw thrown;
    throw new ApiProblem(
      'unavailable',
      'The record is erased; files or Redis still hold something of the call. Send it again.',
      { retryAfterS: 5 },
    );
  }
}
