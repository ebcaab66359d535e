import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Access } from '../access/access.ts';
import type { Ledger } from '../call/ledger/ledger.ts';
import type { Database } from '../platform/database.ts';
import type { Log } from '../platform/log.ts';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';
import type { ApiMetrics } from './api-metrics.ts';
import { authenticate } from './authenticate.ts';
import { answerErrors, answerMalformed, problemOf, send } from './error-answers.ts';
import type { Checks } from './health/check.ts';
import { openapiOptions } from './openapi.ts';
import { refuseOtherMethods } from './other-methods.ts';
import type { Live } from './live/open-live.ts';
import type { Notifier } from './notify/notifier.ts';
import type { OutboundDesk } from './outbound-desk.ts';
import type { RequestLog } from './request-log.ts';
import { auditRoute } from './routes/audit.ts';
import { backupRoute } from './routes/backup.ts';
import type { CallControl } from './call-control.ts';
import type { CallEraser } from './call-eraser.ts';
import { callControlRoutes } from './routes/call-control.ts';
import { callRoutes } from './routes/calls.ts';
import { erasureRoutes } from './routes/erasure.ts';
import { exportRoute } from './routes/export.ts';
import { healthRoute } from './routes/health.ts';
import { keyRoutes } from './routes/keys.ts';
import { liveRoutes } from './routes/live.ts';
import { notifyRoute } from './routes/notify.ts';
import { outboundCallRoute } from './routes/outbound-call.ts';
import { outboundCallsRoute } from './routes/outbound-calls.ts';
import { recordingRoute } from './routes/recording.ts';
import { transcriptRoute } from './routes/transcript.ts';
import { voicePipelineRoute, type VoicePipelineDeps } from './routes/voice-pipeline.ts';
import { webhookDeliveryRoutes } from './routes/webhook-deliveries.ts';
import { webhookInRoute } from './routes/webhook-in.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import type { Webhooks } from './webhooks/webhooks.ts';
import { endLateConnections, endSilentConnections } from './silent-connections.ts';

const BODY_LIMIT = 256 * 1024;
/** Less than anybody waits who stops the api: what comes after the server takes some seconds more. */
const ANSWER_WHEN_CLOSING_MS = 5000;

export type AppDeps = {
  access: Access;
  /** Proxies whose `X-Forwarded-For` tells who asks. */
  trustedProxies: readonly string[];
  log: Log;
  desk: OutboundDesk;
  ledger: Ledger;
  eraser: CallEraser;
  control: CallControl;
  /** For what is about the whole database. */
  db: Database;
  rows: WorkspaceRows;
  metrics: ApiMetrics;
  requestLog: RequestLog;
  checks: Checks;
  notifier: Pick<Notifier, 'test'>;
  live: Live;
  voicePipeline: VoicePipelineDeps;
  webhooks: Webhooks;
  /** What requests to `POST /api/webhook` may be signed with instead of bringing a key. */
  webhookSecret: string | undefined;
  /** Folder of recordings. */
  recordings: string;
};

/** The API, without a port: `listen` opens one, `inject` needs none. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const log: FastifyBaseLogger = deps.log;
  const app: FastifyInstance = fastify({
    loggerInstance: log,
    // Fastify would log the address, which may hold a number; `RequestLog` logs the route.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    trustProxy: deps.trustedProxies.length === 0 ? false : [...deps.trustedProxies],
    routerOptions: { maxParamLength: 200 },
    http: {
      // Java's client asks for h2c with every request, and must be answered as if it had not (RFC 9110, 7.8).
      shouldUpgradeCallback: ({ headers, url }) =>
        headers.upgrade?.toLowerCase() === 'websocket' && url?.split('?')[0] === '/api/live',
    },
    clientErrorHandler: answerMalformed,
    frameworkErrors: (error, _request, reply) => void send(reply, problemOf(error)),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerErrors(app);
  endSilentConnections(app);
  endLateConnections(app, ANSWER_WHEN_CLOSING_MS);
  app.decorateRequest('holder', null);
  deps.metrics.time(app, deps.requestLog);

  const refuseOthers = refuseOtherMethods(app, (url) => /^\/(api\/|health$|metrics$)/.test(url));

  await app.register(swagger, openapiOptions);
  await app.register(swaggerUi, { routePrefix: '/docs' });

  await app.register(healthRoute, { checks: deps.checks });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('content-type', deps.metrics.registry.contentType);
    return deps.metrics.registry.metrics();
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());

  await app.register(
    async (api) => {
      api.addHook('onRequest', authenticate(deps.access));
      await api.register(outboundCallRoute, { desk: deps.desk });
      await api.register(outboundCallsRoute, { desk: deps.desk });
      await api.register(callRoutes, { ledger: deps.ledger });
      await api.register(callControlRoutes, { control: deps.control });
      await api.register(transcriptRoute, { ledger: deps.ledger });
      await api.register(erasureRoutes, { eraser: deps.eraser });
      await api.register(exportRoute, { ledger: deps.ledger, rows: deps.rows });
      await api.register(recordingRoute, { ledger: deps.ledger, folder: deps.recordings });
      await api.register(voicePipelineRoute, deps.voicePipeline);
      await api.register(webhookRoutes, { webhooks: deps.webhooks });
      await api.register(webhookDeliveryRoutes, { webhooks: deps.webhooks });
      await api.register(notifyRoute, { notifier: deps.notifier });
      await api.register(keyRoutes, { keys: deps.access.keys });
      await api.register(auditRoute, { rows: deps.rows });
      await api.register(backupRoute, { db: deps.db, rows: deps.rows });
    },
    { prefix: '/api' },
  );
  const watching = { live: deps.live, authenticate: authenticate(deps.access) };
  await app.register(liveRoutes, { ...watching, prefix: '/api' });
  await app.register(webhookInRoute, {
    prefix: '/api',
    access: deps.access,
    secret: deps.webhookSecret,
    desk: deps.desk,
    control: deps.control,
  });
  refuseOthers();
  return app;
}
