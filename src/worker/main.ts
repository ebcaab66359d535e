import path from 'node:path';
import { AgentServer, InferenceRunner, ServerOptions } from '@livekit/agents';
import { EventPublisher } from '../call/event-stream.ts';
import { startHeartbeat } from '../call/heartbeat.ts';
import { recordingsFolder } from '../call/recording/recording-file.ts';
import { loadConfig } from '../platform/config.ts';
import { asError } from '../platform/errors.ts';
import { serveHealth } from '../platform/health-server.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { connectRedis } from '../platform/redis.ts';
import { runService } from '../platform/service.ts';
import { CallSlots } from './call-slots.ts';
import { drain } from './drain.ts';
import { replaceFrameworkLog } from './framework-log.ts';
import { keepRecordings } from './recording/keep-recordings.ts';
import { watchJobs, type RunningJob } from './lost-jobs.ts';
import { isRegistered, workerHealth } from './worker-health.ts';
import { addWorkerGauges, WorkerMetrics } from './worker-metrics.ts';

/** The framework's own health: only this process asks it. */
const FRAMEWORK_HOST = '127.0.0.1';

const log = createLog('worker', process.env.LOG_LEVEL ?? 'info');
replaceFrameworkLog(log);

// The framework starts a process of 244 MB for its turn detector, which no personality uses, unless the
// detector is registered already; what is not enumerable is not started.
Object.defineProperty(InferenceRunner.registeredRunners, 'lk_eot_audio', { value: 'unused' });

await runService(log, async (releases) => {
  const config = loadConfig();
  log.level = config.LOG_LEVEL;
  const redis = connectRedis(config.REDIS_URL, log, 'patient');
  releases.add('redis', () => redis.disconnect());
  const { rooms } = connectLiveKit(config);

  // The framework's own health answers here; ours asks it.
  const frameworkPort = config.WORKER_PORT + 1;
  const frameworkUrl = `http://${FRAMEWORK_HOST}:${frameworkPort}/`;
  const metrics = createMetrics('worker');
  const counted = new WorkerMetrics(metrics);
  const server = new AgentServer(
    new ServerOptions({
      agent: path.join(import.meta.dirname, 'agent.ts'),
      agentName: config.AGENT_NAME,
      wsURL: config.LIVEKIT_URL,
      apiKey: config.LIVEKIT_API_KEY,
      apiSecret: config.LIVEKIT_API_SECRET,
      host: FRAMEWORK_HOST,
      port: frameworkPort,
      numIdleProcesses: 1,
      maxRetry: Number.POSITIVE_INFINITY,
      loadThreshold: 1,
      loadFunc: async () => slots.load,
      requestFunc: async (request) => slots.answer(request),
      logLevel: config.LOG_LEVEL,
    }),
  );
  const running = (): RunningJob[] =>
    server.activeJobs.map(({ job }) => ({
      id: job.id,
      room: job.room?.name ?? '',
      metadata: job.metadata,
    }));
  const slots = new CallSlots({
    capacity: config.WORKER_MAX_CALLS,
    running,
    rooms,
    log,
    onRefused: () => counted.refused(),
  });
  // Released last: while calls end, the worker lives and says so.
  addWorkerGauges(metrics, {
    slots,
    capacity: config.WORKER_MAX_CALLS,
    redis,
    registered: () => isRegistered(frameworkUrl),
  });
  await startHeartbeat({
    redis,
    log,
    fleet: 'workers',
    state: () => ({ calls: slots.taken, capacity: config.WORKER_MAX_CALLS }),
    releases,
  });
  await serveHealth({
    host: config.API_HOST,
    port: config.WORKER_PORT,
    metrics,
    health: () => workerHealth({ frameworkUrl, redis, slots }),
    releases,
  });

  const served = server.run().catch((thrown: unknown) => {
    log.fatal({ err: asError(thrown) }, 'the agent server failed');
    process.exit(1);
  });
  releases.add('agent server', async () => {
    await server.close();
    await served;
  });
  const events = new EventPublisher(redis);
  const recordings = recordingsFolder(config);
  keepRecordings({ folder: recordings, days: config.RECORDINGS_DAYS, events, log, releases });
  watchJobs({
    redis,
    events,
    rooms,
    recordings,
    log,
    running,
    releases,
    onLost: () => counted.lost(),
  });
  releases.add('calls', () => drain(slots, log));
});
