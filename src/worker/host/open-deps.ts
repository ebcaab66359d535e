import { AudioSource } from '@livekit/rtc-node';
import { CommandListener } from '../../call/command-listener.ts';
import { EventPublisher } from '../../call/event-stream.ts';
import { LivePublisher } from '../../call/live/live-publisher.ts';
import { openPersonalities } from '../../personality/personalities.ts';
import { KeptConnections } from '../../personality/providers/kept-connections.ts';
import { createSpeechComponents } from '../../personality/providers/create-speech-components.ts';
import type { Config } from '../../platform/config.ts';
import { asError } from '../../platform/errors.ts';
import { connectLiveKit } from '../../platform/livekit.ts';
import type { Log } from '../../platform/log.ts';
import { connectRedis } from '../../platform/redis.ts';
import type { Releases } from '../../platform/releases.ts';
import { loadTrunks } from '../../trunk/load-trunks.ts';
import { SpokenShelf } from '../speaking/spoken-shelf.ts';
import { VadShelf } from '../vad-shelf.ts';
import type { WorkerDeps } from '../worker-deps.ts';

/** What the calls of a host share. Everything that takes time is done here, before its first call. */
export async function openDeps(options: {
  host: string;
  config: Config;
  log: Log;
  notice: WorkerDeps['notice'];
  releases: Releases;
}): Promise<WorkerDeps> {
  const { host, config, log, notice, releases } = options;
  const redis = connectRedis(config.REDIS_URL, log, 'patient');
  releases.add('redis', () => redis.disconnect());
  const { rooms, sip } = connectLiveKit(config);
  const commands = new CommandListener({
    redis,
    connect: () => connectRedis(config.REDIS_URL, log, 'patient'),
    log,
  });
  releases.add('commands', () => commands.close());
  const personalities = await openPersonalities({ config, log, watch: true });
  releases.add('personalities', () => personalities.close());
  const connections = new KeptConnections();
  releases.add('connections to vendors', () => connections.close());
  const deps: WorkerDeps = {
    host,
    config,
    log,
    redis,
    events: new EventPublisher(redis),
    live: new LivePublisher(redis),
    rooms,
    sip,
    commands,
    personalities,
    trunks: loadTrunks(config),
    vads: new VadShelf(),
    connections,
    spoken: new SpokenShelf(),
    notice,
  };
  await Promise.all([redis.ping(), touchNativeCode(), loadModels(deps)]);
  return deps;
}

/** rtc-node's native part is started by its first use, and keeps the context of that: it must be no call's. */
async function touchNativeCode(): Promise<void> {
  await new AudioSource(48_000, 1).close();
}

/** Loads the plugins and the detector of the personality that most calls need. */
async function loadModels({ config, log, personalities, vads }: WorkerDeps): Promise<void> {
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
