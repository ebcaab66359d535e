import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { runChecks, type Checks } from '../health/check.ts';

const status = z.enum(['healthy', 'degraded', 'unhealthy']);
const healthSchema = z.object({
  status: status.describe('unhealthy: no call can be accepted; degraded: some part has trouble'),
  services: z.record(z.string(), z.object({ status, message: z.string() })),
});

/** `GET /health`, open to everybody: 200 while calls can be accepted, else 503. */
export const healthRoute: FastifyPluginAsyncZod<{ checks: Checks }> = async (app, { checks }) => {
  // Nobody needs a key for it, and it asks every part: who asks meanwhile gets the same answer.
  let running: ReturnType<typeof runChecks> | undefined;
  const checkOnce = async () =>
    (running ??= runChecks(checks).finally(() => {
      running = undefined;
    }));
  app.get(
    '/health',
    {
      schema: {
        tags: ['operation'],
        summary: 'How every part is',
        response: { 200: healthSchema, 503: healthSchema },
      },
    },
    async (_request, reply) => {
      const health = await checkOnce();
      reply.header('cache-control', 'no-store');
      return reply.code(health.status === 'unhealthy' ? 503 : 200).send(health);
    },
  );
};
