import { APIError } from '@livekit/agents';
import { dispose } from '@livekit/rtc-node';
import { startHeartbeat } from '../../call/heartbeat.ts';
import { loadConfig } from '../../platform/config.ts';
import { asError } from '../../platform/errors.ts';
import { logRejections } from '../../platform/log-rejections.ts';
import { connectLiveKit } from '../../platform/livekit.ts';
import { createLog } from '../../platform/log.ts';
import { Releases } from '../../platform/releases.ts';
import { keepApologies } from '../apology/keep-apologies.ts';
import { speakApology } from '../apology/speak-apology.ts';
import { replaceFrameworkLog } from '../framework-log.ts';
import type { ToHost } from '../hosts/host-message.ts';
import { replaceRtcLog } from '../rtc-log.ts';
import { CallHost } from './call-host.ts';
import { CallScope } from './call-scope.ts';
import { LeakWatch } from './leak-watch.ts';
import { LoopLag } from './loop-lag.ts';
import { openDeps } from './open-deps.ts';
import { openResources } from './open-resources.ts';
import { ParentChannel } from './parent-channel.ts';

/** A host that beats once a second is missed after some three (`call/heartbeat.ts`, the watchdog). */
const BEAT_MS = 1000;
/** Longest time for a host without calls to let go of what it has. */
const LEAVE_MS = 5000;

/**
 * A host: a process that carries calls which its parent gives it. It is the unit of life: without its parent
 * it takes no more calls, finishes those it has, and ends.
 */
const id = process.argv[2] ?? 'host';
const config = loadConfig();
const scope = new CallScope();
const log = createLog('worker', config.LOG_LEVEL, { always: scope.fields });
replaceFrameworkLog(log);
replaceRtcLog(log);

const parent = new ParentChannel();
const releases = new Releases();
let leaving = false;

logRejections(log);
process.on('unhandledRejection', (reason) => {
  // The framework leaves the promise of a failed synthesis unhandled: its vendor ails, not the host.
  if (reason instanceof APIError) return;
  parent.send({ case: 'ailing', value: { ailment: 'unhandled_rejection' } });
});
// By Node's default it would end every call of the host. What threw is broken; the others are not.
process.on('uncaughtException', (error) => {
  log.error({ err: error }, 'an error that nobody caught');
  parent.send({ case: 'ailing', value: { ailment: 'uncaught_exception' } });
});
// A signal to the whole group is the parent's to deal with. Without a parent it ends the calls.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (!parent.connected) host.stopAll();
  });
}

const { agents } = connectLiveKit(config);
const deps = await openDeps({
  host: id,
  config,
  log,
  notice: (sign) => parent.send({ case: 'noticed', value: { sign } }),
  releases,
});
// From here on: what loading takes is no sign of too many calls.
const lag = new LoopLag();
const host = new CallHost({
  deps,
  scope,
  tell: (message) => parent.send(message),
  dispatch: (room, metadata) =>
    agents.createDispatch(room, config.AGENT_NAME, { metadata: JSON.stringify(metadata) }),
  onEmpty: () => {
    if (leaving) void leave();
  },
});
await startHeartbeat({
  redis: deps.redis,
  log,
  fleet: 'hosts',
  id,
  everyMs: BEAT_MS,
  state: () => ({ calls: host.calls }),
  releases,
});
keepApologies({ ...deps, speak: (personality) => speakApology(personality, config), releases });
const leaks = new LeakWatch({
  count: openResources,
  calls: () => host.calls,
  onLeak: (kind) => {
    log.error({ kind }, 'calls leave something behind');
    parent.send({ case: 'ailing', value: { ailment: 'leaking' } });
  },
});
releases.add('leak watch', () => leaks.close());
parent.listen({ message: take, lost: retire });
parent.send({ case: 'ready', value: {} });
if (!parent.connected) retire();

function take(message: ToHost): void {
  switch (message.case) {
    case 'ping':
      parent.send({
        case: 'pong',
        value: {
          at: message.value.at,
          lagP50: lag.p50,
          lagP99: lag.p99,
          rssBytes: process.memoryUsage.rss(),
          open: openResources(),
        },
      });
      return;
    case 'run':
      host.run(message.value);
      return;
    case 'stop':
      host.stop(message.value.run);
      return;
    case 'letGo':
      host.letGo(message.value.run).catch((thrown: unknown) => {
        log.warn({ err: asError(thrown) }, 'could not let go of a call');
      });
      return;
    case 'endCall':
      host.endCall(message.value.run);
      return;
    case 'retire':
      retire();
  }
}

function retire(): void {
  if (leaving) return;
  leaving = true;
  if (host.calls === 0) void leave();
}

async function leave(): Promise<void> {
  setTimeout(() => process.exit(0), LEAVE_MS).unref();
  lag.close();
  await releases.run().catch((thrown: unknown) => {
    log.warn({ err: asError(thrown) }, 'could not release everything');
  });
  // Otherwise native threads may still run while the process ends.
  await dispose();
  process.exit(0);
}
