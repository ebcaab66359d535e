import { availableParallelism } from 'node:os';
import path from 'node:path';
import { EventPublisher } from '../call/event-stream.ts';
import { startHeartbeat } from '../call/heartbeat.ts';
import { recordingsFolder } from '../call/recording/recording-file.ts';
import { loadConfig } from '../platform/config.ts';
import { serveHealth } from '../platform/health-server.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { connectRedis } from '../platform/redis.ts';
import { runService } from '../platform/service.ts';
import { drain, othersHaveRoom } from './drain.ts';
import { keepRecordings } from './recording/keep-recordings.ts';
import { startWorker } from './start-worker.ts';
import { workerHealth } from './worker-health.ts';
import { addWorkerGauges, WorkerMetrics } from './worker-metrics.ts';
import { workerId } from './worker-id.ts';
import { planHosts } from './hosts/plan-hosts.ts';

const log = createLog('worker', process.env.LOG_LEVEL ?? 'info');

await runService(log, async (releases) => {
  const config = loadConfig();
  log.level = config.LOG_LEVEL;
  const id = workerId();
  const plan = planHosts(config, availableParallelism());
  const redis = connectRedis(config.REDIS_URL, log, 'patient');
  releases.add('redis', () => redis.disconnect());
  const { rooms } = connectLiveKit(config);
  const metrics = createMetrics('worker');
  const counted = new WorkerMetrics(metrics);

  const { slots, pool, link } = await startWorker({
    id,
    hostMain: path.join(import.meta.dirname, 'host/main.ts'),
    plan,
    config,
    redis,
    rooms,
    counted,
    log,
    releases,
  });
  const registered = () => link.registered;
  addWorkerGauges(metrics, { slots, pool, redis, registered });
  // Released last but for Redis: while calls end, the worker lives and says so.
  await startHeartbeat({
    redis,
    log,
    fleet: 'workers',
    id,
    state: () => ({ calls: slots.taken, capacity: slots.capacity }),
    releases,
  });
  await serveHealth({
    host: config.API_HOST,
    port: config.WORKER_PORT,
    metrics,
    health: () => workerHealth({ registered: link.registered, redis, slots, pool }),
    releases,
  });
  keepRecordings({
    folder: recordingsFolder(config),
    days: config.RECORDINGS_DAYS,
    events: new EventPublisher(redis),
    log,
    releases,
  });
  releases.add('calls', async () => {
    // A second signal ends this process at once, and the calls with it.
    process.once('exit', () => pool.killNow());
    await drain({
      slots,
      pool,
      othersHaveRoom: () => othersHaveRoom(redis, id, log),
      log,
      times: {
        waitMs: config.WORKER_DRAIN_SECONDS * 1000,
        handoverMs: config.WORKER_HANDOVER_SECONDS * 1000,
      },
    });
  });
});
