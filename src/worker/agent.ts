import { defineAgent, type JobContext, type JobProcess } from '@livekit/agents';
import { EventPublisher } from '../call/event-stream.ts';
import { jobMetadataSchema } from '../call/job-metadata.ts';
import { openPersonalities } from '../personality/personalities.ts';
import { createSpeechComponents } from '../personality/providers/create-speech-components.ts';
import { loadConfig } from '../platform/config.ts';
import { asError } from '../platform/errors.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis } from '../platform/redis.ts';
import { loadTrunks } from '../trunk/load-trunks.ts';
import { replaceFrameworkLog } from './framework-log.ts';
import { runCall } from './run-call.ts';
import { VadShelf } from './vad-shelf.ts';
import type { WorkerDeps } from './worker-deps.ts';

const config = loadConfig();
const log = createLog('worker', config.LOG_LEVEL);
replaceFrameworkLog(log);

/**
 * The framework's entry in a job process: everything that takes time is made while the process is idle, so
 * that a call finds it ready. One process runs one call and ends.
 */
export default defineAgent({
  prewarm: async (process: JobProcess) => {
    const redis = connectRedis(config.REDIS_URL, log, 'patient');
    const deps: WorkerDeps = {
      config,
      log,
      redis,
      events: new EventPublisher(redis),
      rooms: connectLiveKit(config).rooms,
      personalities: await openPersonalities({ config, log, watch: true }),
      trunks: loadTrunks(config),
      vads: new VadShelf(),
    };
    await Promise.all([redis.ping(), loadModels(deps)]);
    process.userData['deps'] = deps;
  },

  entry: async (context: JobContext) => {
    const deps = context.proc.userData['deps'] as WorkerDeps;
    const stop = new AbortController();
    const finished = Promise.withResolvers<void>();
    // The framework calls back when the room is lost, too; the call then ends by itself.
    context.addShutdownCallback(async () => {
      stop.abort();
      await finished.promise;
      deps.redis.disconnect();
    });
    try {
      const metadata = jobMetadataSchema.parse(JSON.parse(context.job.metadata));
      await context.connect();
      await runCall(deps, { room: context.room, metadata, stop: stop.signal });
    } finally {
      finished.resolve();
      context.shutdown('call ended');
    }
  },
});

/** Loads the plugins and the detector of the personality that most calls need. */
async function loadModels({ personalities, vads }: WorkerDeps): Promise<void> {
  const personality = personalities.get(config.DEFAULT_PERSONALITY);
  if (!personality) return;
  try {
    const vad = await vads.of(personality);
    await createSpeechComponents(personality, { config, vad });
  } catch (thrown) {
    // The call that needs it will say so; others may not.
    log.warn({ err: asError(thrown) }, 'could not load the default personality ahead of its calls');
  }
}
