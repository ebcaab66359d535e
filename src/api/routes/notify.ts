import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Notifier } from '../notify/notifier.ts';
import { problemResponses } from '../problem.ts';

const resultSchema = z.object({
  channels: z
    .array(
      z.object({
        channel: z.enum(['chat', 'mail']),
        delivered: z.boolean(),
        detail: z.string().describe('why it was not, where it was not'),
      }),
    )
    .describe('empty where neither NOTIFY_WEBHOOK_URL nor NOTIFY_EMAIL_TO is set'),
});

/** `POST /api/notify/test`: whether messages to the operator arrive. */
export const notifyRoute: FastifyPluginAsyncZod<{ notifier: Pick<Notifier, 'test'> }> = async (
  app,
  { notifier },
) => {
  app.post(
    '/notify/test',
    {
      config: { scope: 'manage' },
      schema: {
        tags: ['operation'],
        summary: 'Send a test message to the operator',
        security: [{ apiKey: [] }],
        response: { 200: resultSchema, ...problemResponses(401, 403, 429, 500, 503) },
      },
    },
    async () => ({ channels: await notifier.test() }),
  );
};
