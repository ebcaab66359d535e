import { EventConsumer } from '../call/ledger/event-consumer.ts';
import { Ledger, LEDGER_MIGRATIONS } from '../call/ledger/ledger.ts';
import { OutboundQueue } from '../call/outbound-queue.ts';
import { openPersonalities } from '../personality/personalities.ts';
import { missingParameters } from '../personality/render.ts';
import { loadConfig, resolvePath } from '../platform/config.ts';
import { openDatabase } from '../platform/database.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { connectRedis } from '../platform/redis.ts';
import { runService } from '../platform/service.ts';
import { loadTrunks } from '../trunk/load-trunks.ts';
import { ApiMetrics } from './api-metrics.ts';
import { buildApp } from './app.ts';
import { healthChecks } from './health/checks.ts';
import { OutboundDesk } from './outbound-desk.ts';
import { Reconciler } from './reconciler.ts';

/** The one workspace, until there are tenants. */
const WORKSPACE = 'default';

const log = createLog('api', process.env.LOG_LEVEL ?? 'info');

await runService(log, async (releases) => {
  const config = loadConfig();
  log.level = config.LOG_LEVEL;

  const trunks = loadTrunks(config);
  const personalities = await openPersonalities({ config, log, watch: true });
  releases.add('personalities', () => personalities.close());

  const database = await openDatabase({
    url: config.DATABASE_URL,
    folder: resolvePath(config, config.DATA_DIR, 'database'),
    migrations: LEDGER_MIGRATIONS,
    log,
  });
  releases.add('database', () => database.close());
  const ledger = new Ledger(database.db, WORKSPACE);

  const redis = connectRedis(config.REDIS_URL, log, 'impatient');
  releases.add('redis', () => redis.disconnect());
  const queue = new OutboundQueue(redis, (error) => log.warn({ err: error }, 'queue failed'));
  releases.add('queue', () => queue.close());

  const metrics = new ApiMetrics(createMetrics('api'));
  metrics.watch({ ledger, queue, redis });

  const consumer = new EventConsumer({
    db: database.db,
    redis: connectRedis(config.REDIS_URL, log, 'patient'),
    log,
    onApplied: (applied) => metrics.applied(applied),
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
    missingVariables: (key, given) => {
      const personality = personalities.get(key);
      return personality ? missingParameters(personality, 'outbound', given) : [];
    },
    defaultPersonality: config.DEFAULT_PERSONALITY,
    trunks,
    onLeftBehind: () => reconciler.soon(),
    log,
  });
  const checks = healthChecks({
    redis,
    database,
    consumer,
    rooms: connectLiveKit(config).rooms,
    sipHealthUrl: config.SIP_HEALTH_URL,
    trunks,
    personalities,
  });
  const app = await buildApp({ apiKey: config.API_KEY, log, desk, ledger, metrics, checks });
  await app.listen({ host: config.API_HOST, port: config.API_PORT });
  releases.add('server', () => app.close());
});
