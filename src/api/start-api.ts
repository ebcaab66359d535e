import type { FastifyInstance } from 'fastify';
import type { RoomServiceClient } from 'livekit-server-sdk';
import { openAccess } from '../access/access.ts';
import { EventConsumer } from '../call/ledger/event-consumer.ts';
import { Ledger } from '../call/ledger/ledger.ts';
import { OutboundQueue } from '../call/outbound-queue.ts';
import { recordingsFolder } from '../call/recording/recording-file.ts';
import { resolvePath, type Config } from '../platform/config.ts';
import type { OpenDatabase } from '../platform/database.ts';
import type { Log } from '../platform/log.ts';
import { createMetrics, type Registry } from '../platform/metrics.ts';
import { connectRedis } from '../platform/redis.ts';
import type { Releases } from '../platform/releases.ts';
import { WorkspaceRows } from '../platform/workspace-rows.ts';
import type { Trunk } from '../trunk/trunk.ts';
import { eraseDeliveries } from '../webhook/outbox.ts';
import { ApiMetrics } from './api-metrics.ts';
import { buildApp } from './app.ts';
import { CallControl } from './call-control.ts';
import { CallEraser } from './call-eraser.ts';
import { ConversationFiler } from './conversation-filer.ts';
import { ConversationFolder } from './conversation-folder.ts';
import { findPersonality } from './find-personality.ts';
import { healthChecks } from './health/checks.ts';
import { channelsOf } from './notify/channels.ts';
import { Notifier } from './notify/notifier.ts';
import { watches } from './notify/watches.ts';
import type { LiveLimits } from './live/live-client.ts';
import { openLive, type Live } from './live/open-live.ts';
import { OutboundDesk, type DeskDeps } from './outbound-desk.ts';
import { Reconciler } from './reconciler.ts';
import { RequestLog } from './request-log.ts';
import { SpeechHost } from './speech/speech-host.ts';
import { addStateGauges } from './state-gauges.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** The one workspace, until there are tenants. */
const WORKSPACE = 'default';

export type ApiOptions = {
  config: Config;
  log: Log;
  database: OpenDatabase;
  trunks: readonly Trunk[];
  personalities: DeskDeps['personalities'] & { problems(): readonly unknown[] };
  missingVariables: DeskDeps['missingVariables'];
  rooms: Pick<RoomServiceClient, 'listRooms' | 'deleteRoom'>;
  /** What may wait for one client that watches live events; absent: as much as is usual. */
  liveLimits?: LiveLimits | undefined;
  /** Takes what is acquired here; the caller runs it. */
  releases: Releases;
};

export type Api = {
  live: Live;
  /** Does not listen yet. */
  app: FastifyInstance;
  ledger: Ledger;
  queue: OutboundQueue;
  reconciler: Reconciler;
  /** The figures of this api. */
  registry: Registry;
};

/** The whole api on its database and Redis, without a port of its own. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { config, log, database, trunks, personalities, releases } = options;
  const rows = new WorkspaceRows(database.db, WORKSPACE);
  const registry = createMetrics('api');
  const webhooks = new Webhooks({ rows, config, registry, log });
  webhooks.start();
  releases.add('webhooks', () => webhooks.stop());
  const ledger = new Ledger(database.db, WORKSPACE, { alongsideAccept: webhooks.alongsideAccept });

  const redis = connectRedis(config.REDIS_URL, log, 'impatient');
  releases.add('redis', () => redis.disconnect());
  const access = openAccess({
    rootKey: config.API_KEY,
    wrongKeysPerMinute: config.WRONG_KEYS_PER_MINUTE,
    rows,
    redis,
    log,
  });
  releases.add('keys', () => access.close());
  const queue = new OutboundQueue(redis, (error) => log.warn({ err: error }, 'queue failed'));
  releases.add('queue', () => queue.close());

  const metrics = new ApiMetrics(registry, {
    trunks: () => trunks.map(({ name }) => name),
    personalities: () => personalities.list().map(({ key }) => key),
  });
  const dataDir = resolvePath(config, config.DATA_DIR);
  addStateGauges(registry, { ledger, rows, queue, redis, database, dataDir });
  const requestLog = new RequestLog(log);
  releases.add('request log', () => requestLog.close());

  const conversations =
    config.CONVERSATIONS_DIR === undefined
      ? undefined
      : new ConversationFolder(resolvePath(config, config.CONVERSATIONS_DIR));
  const filer =
    conversations &&
    new ConversationFiler({
      ledger,
      folder: conversations,
      format: config.CONVERSATIONS_FORMAT,
      log,
    });
  filer?.start();
  releases.add('conversation files', () => filer?.stop());
  const eraser = new CallEraser({
    ledger,
    queue,
    redis,
    recordings: recordingsFolder(config),
    conversations,
    eraseDeliveries,
    log,
  });
  eraser.start();
  releases.add('eraser', () => eraser.stop());

  const consumer = new EventConsumer({
    db: database.db,
    redis: connectRedis(config.REDIS_URL, log, 'patient'),
    log,
    alongside: webhooks.alongside,
    recordTrunks: webhooks.recordTrunks,
    onApplied: (applied) => {
      metrics.applied(applied);
      filer?.applied(applied);
      eraser.applied(applied);
    },
    onRejected: () => metrics.rejected(),
  });
  consumer.start();
  releases.add('event consumer', () => consumer.stop());

  const reconciler = new Reconciler({ ledger, queue, log });
  reconciler.start();
  releases.add('reconciler', () => reconciler.stop());
  redis.on('ready', () => reconciler.nudge());

  const desk = new OutboundDesk({
    workspace: WORKSPACE,
    ledger,
    queue,
    redis,
    personalities,
    missingVariables: options.missingVariables,
    defaultPersonality: config.DEFAULT_PERSONALITY,
    trunks,
    onLeftBehind: () => reconciler.soon(),
    log,
  });
  const control = new CallControl({ ledger, queue, redis, rooms: options.rooms, trunks, log });
  const parts = healthChecks({
    redis,
    database,
    consumer,
    rooms: options.rooms,
    sipHealthUrl: config.SIP_HEALTH_URL,
    trunks,
    personalities,
  });
  const notifier = new Notifier({
    channels: channelsOf(config),
    watches: watches({ redis, rows, ledger, consumer, checks: parts, trunks, dataDir }),
    redis,
    registry,
    log,
  });
  notifier.start();
  releases.add('notifier', () => notifier.stop());
  const checks = notifier.isUsed
    ? { ...parts, notifications: { run: async () => notifier.health() } }
    : parts;
  const speech = new SpeechHost({ cwd: config.root, environment: process.env, log });
  releases.add('speech', () => speech.close());
  const voicePipeline = {
    speech,
    personality: (key: string | undefined) =>
      findPersonality(personalities, key ?? config.DEFAULT_PERSONALITY),
  };
  const live = openLive({
    redisUrl: config.REDIS_URL,
    redis,
    ledger,
    keys: access.ring,
    registry,
    log,
    releases,
    limits: options.liveLimits,
  });
  const app = await buildApp({
    access,
    trustedProxies: config.TRUSTED_PROXIES,
    log,
    desk,
    ledger,
    eraser,
    control,
    db: database.db,
    rows,
    metrics,
    requestLog,
    checks,
    notifier,
    live,
    voicePipeline,
    webhooks,
    webhookSecret: config.WEBHOOK_SECRET,
    recordings: recordingsFolder(config),
  });
  releases.add('server', () => app.close());
  return { app, live, ledger, queue, reconciler, registry };
}
