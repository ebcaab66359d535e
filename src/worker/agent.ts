import { defineAgent, type JobContext, type JobProcess } from '@livekit/agents';
import type { CallId } from '../call/call-id.ts';
import { CommandListener } from '../call/command-listener.ts';
import { EventPublisher } from '../call/event-stream.ts';
import { jobMetadataSchema } from '../call/job-metadata.ts';
import { LivePublisher } from '../call/live/live-publisher.ts';
import { openPersonalities } from '../personality/personalities.ts';
import { createSpeechComponents } from '../personality/providers/create-speech-components.ts';
import { loadConfig } from '../platform/config.ts';
import { asError } from '../platform/errors.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import { createLog } from '../platform/log.ts';
import { connectRedis } from '../platform/redis.ts';
import { Releases } from '../platform/releases.ts';
import { loadTrunks } from '../trunk/load-trunks.ts';
import { endProcess } from './end-process.ts';
import { replaceFrameworkLog } from './framework-log.ts';
import { logRejections } from '../platform/log-rejections.ts';
import { markFinished, markRunning } from './lost-jobs.ts';
import { replaceRtcLog } from './rtc-log.ts';
import { runCall } from './run-call.ts';
import { stopSignal } from './stop-signal.ts';
import { VadShelf } from './vad-shelf.ts';
import type { WorkerDeps } from './worker-deps.ts';

const config = loadConfig();
/** A process has one call; whatever it writes down, the framework's lines too, is about that. */
let call: CallId | undefined;
const log = createLog('worker', config.LOG_LEVEL, {
  always: () => (call === undefined ? {} : { call }),
});
replaceFrameworkLog(log);
replaceRtcLog(log);
logRejections(log);

/**
 * The framework's entry in a job process: everything that takes time is made while the process is idle, so
 * that a call finds it ready. One process runs one call and ends.
 */
export default defineAgent({
  prewarm: async (process: JobProcess) => {
    const redis = connectRedis(config.REDIS_URL, log, 'patient');
    const { rooms, sip } = connectLiveKit(config);
    const deps: WorkerDeps = {
      config,
      log,
      redis,
      events: new EventPublisher(redis),
      live: new LivePublisher(redis),
      rooms,
      sip,
      commands: new CommandListener({
        redis,
        connect: () => connectRedis(config.REDIS_URL, log, 'patient'),
        log,
      }),
      personalities: await openPersonalities({ config, log, watch: true }),
      trunks: loadTrunks(config),
      vads: new VadShelf(),
    };
    await Promise.all([redis.ping(), loadModels(deps)]);
    process.userData['deps'] = deps;
  },

  entry: async (context: JobContext) => {
    const deps = context.proc.userData['deps'] as WorkerDeps;
    const releases = new Releases();
    const stop = stopSignal(releases);
    try {
      const metadata = jobMetadataSchema.parse(JSON.parse(context.job.metadata));
      const onIdentified = (id: CallId) => {
        call = id;
      };
      const onEndTold = () => markFinished(deps.redis, context.job.id);
      releases.add('mark', onEndTold);
      await Promise.all([markRunning(deps.redis, context.job.id), context.connect()]);
      await runCall(deps, { room: context.room, metadata, stop, onEndTold, onIdentified });
    } catch (thrown) {
      log.error({ err: asError(thrown), job: context.job.id }, 'could not begin a call');
    } finally {
      await releases.run();
      deps.commands.close();
      deps.redis.disconnect();
      context.shutdown('call ended');
      endProcess(log);
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
    // The first request of a process takes 60 ms more than others, wherever it goes.
    await fetch('data:,');
  } catch (thrown) {
    // The call that needs it will say so; others may not.
    log.warn({ err: asError(thrown) }, 'could not load the default personality ahead of its calls');
  }
}
