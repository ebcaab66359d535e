import { startHeartbeat } from '../call/heartbeat.ts';
import { loadConfig } from '../platform/config.ts';
import { serveHealth } from '../platform/health-server.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics, watchRedis } from '../platform/metrics.ts';
import { connectRedis } from '../platform/redis.ts';
import { runService } from '../platform/service.ts';
import { withinMs } from '../platform/time-limit.ts';
import { ensureTrunks, planTrunks } from '../trunk/ensure.ts';
import { loadTrunks } from '../trunk/load-trunks.ts';
import { sendOptions } from '../trunk/sip-options.ts';
import { tailEvents } from './event-tail.ts';
import { every } from './every.ts';
import { TrunkMonitor } from './trunk-monitor.ts';

const LOOK_EVERY_MS = 15_000;
const PLAN_EVERY_MS = 30_000;
/** A check asks Twilio's REST API some eight questions. */
const TWILIO_PLAN_EVERY_MS = 5 * 60_000;
const PING_TIMEOUT_MS = 5000;
const STOP_LIMIT_MS = 3000;

const log = createLog('trunk-monitor', process.env['LOG_LEVEL'] ?? 'info');

await runService(log, async (releases) => {
  const config = loadConfig();
  log.level = config.LOG_LEVEL;
  const metrics = createMetrics('trunk-monitor');
  const redis = connectRedis(config.REDIS_URL, log, 'patient');
  releases.add('redis', () => redis.disconnect());
  watchRedis(metrics, redis);
  const reader = connectRedis(config.REDIS_URL, log, 'patient');
  releases.add('redis of the event reader', () => reader.disconnect());
  const { sip } = connectLiveKit(config);

  const monitor = new TrunkMonitor({
    redis,
    log,
    metrics,
    loadTrunks: () => loadTrunks(config),
    ping: ({ transport }, host, port) => sendOptions({ host, port, transport }, PING_TIMEOUT_MS),
    plan: (trunks) => planTrunks({ config, trunks, sip }),
    ensure: (trunks) => ensureTrunks({ config, trunks, sip, redis }, { waitMs: PLAN_EVERY_MS }),
    now: Date.now,
  });
  await startHeartbeat({
    redis,
    log,
    fleet: 'trunk-monitors',
    state: () => ({ calls: 0 }),
    releases,
  });
  const stopping = new AbortController();
  const twilio = loadTrunks(config).some(({ provider }) => provider === 'twilio');
  const work = Promise.all([
    every(twilio ? TWILIO_PLAN_EVERY_MS : PLAN_EVERY_MS, log, stopping.signal, () =>
      monitor.checkPlan(),
    ),
    every(LOOK_EVERY_MS, log, stopping.signal, () => monitor.look()),
    tailEvents(reader, log, stopping.signal, (event) => monitor.onEvent(event)),
  ]);
  releases.add('checks', async () => {
    stopping.abort();
    reader.disconnect();
    // A check that waits for a Redis that is away would keep the process.
    await withinMs(STOP_LIMIT_MS, work);
  });
  await serveHealth({
    host: config.API_HOST,
    port: config.TRUNK_MONITOR_PORT,
    metrics,
    releases,
    health: () => ({
      status: redis.status === 'ready' ? 'healthy' : 'degraded',
      trunks: monitor.states(),
    }),
  });
});
