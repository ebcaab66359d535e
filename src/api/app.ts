import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import type { Ledger } from '../call/ledger/ledger.ts';
import type { Log } from '../platform/log.ts';
import type { ApiMetrics } from './api-metrics.ts';
import { authenticate } from './authenticate.ts';
import { answerErrors, problemOf, send } from './error-answers.ts';
import type { Checks } from './health/check.ts';
import type { OutboundDesk } from './outbound-desk.ts';
import { callRoutes } from './routes/calls.ts';
import { healthRoute } from './routes/health.ts';
import { outboundCallRoute } from './routes/outbound-call.ts';

const BODY_LIMIT = 256 * 1024;

export type AppDeps = {
  apiKey: string;
  log: Log;
  desk: OutboundDesk;
  ledger: Ledger;
  metrics: ApiMetrics;
  checks: Checks;
};

/** The API, without a port: `listen` opens one, `inject` needs none. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const log: FastifyBaseLogger = deps.log;
  const app: FastifyInstance = fastify({
    loggerInstance: log,
    // Fastify would log the address, which may hold a number; `ApiMetrics.time` logs the route.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, _request, reply) => void send(reply, problemOf(error)),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerErrors(app);
  deps.metrics.time(app);

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Trunkline',
        description: 'A self-hosted call centre of AI agents. Errors are problems of RFC 9457.',
        version: '1',
      },
      components: {
        securitySchemes: { apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' } },
      },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });

  await app.register(healthRoute, { checks: deps.checks });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('content-type', deps.metrics.registry.contentType);
    return deps.metrics.registry.metrics();
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());

  await app.register(
    async (api) => {
      api.addHook('onRequest', authenticate(deps.apiKey));
      await api.register(outboundCallRoute, { desk: deps.desk });
      await api.register(callRoutes, { ledger: deps.ledger });
    },
    { prefix: '/api' },
  );
  return app;
}
