import { Queue } from 'bullmq';
import { EventPublisher } from '../call/event-stream.ts';
import { processId, startHeartbeat } from '../call/heartbeat.ts';
import { OUTBOUND_QUEUE } from '../call/order.ts';
import { ReplicatedFences } from '../call/replicated-fences.ts';
import type { Config } from '../platform/config.ts';
import { serveHealth, type Health } from '../platform/health-server.ts';
import { Lease } from '../platform/lease.ts';
import { connectLiveKit } from '../platform/livekit.ts';
import type { Log } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { parseRedisAddress } from '../platform/redis-address.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import type { Releases } from '../platform/releases.ts';
import { withinMs } from '../platform/time-limit.ts';
import { trunkForOutbound } from '../trunk/routing.ts';
import type { Trunk } from '../trunk/trunk.ts';
import { Announcer } from './announcer/announcer.ts';
import { announcerToken } from './announcer/announcer-token.ts';
import { CallRooms } from './call-room.ts';
import { Dispatcher } from './dispatcher.ts';
import { addQueueGauges, DispatcherMetrics } from './dispatcher-metrics.ts';
import type { ApologyDeps } from './lost-agents/apologies.ts';
import { AttendanceWatch } from './lost-agents/attendance-watch.ts';
import { LostAgents } from './lost-agents/lost-agents.ts';
import type { OutboundDeps } from './outbound-call.ts';
import { WaitingCallers } from './waiting-callers.ts';
import { Watchdog } from './watchdog.ts';

/** What the dispatcher knows of the world, beside Redis and LiveKit. */
export type World = {
  trunks: Trunk[];
  caller: OutboundDeps['caller'];
  trunkId: OutboundDeps['trunkId'];
  /** Who speaks, by the personality's key. */
  voice: ApologyDeps['voice'];
};

/** Longer than several looks of the watchdog take, shorter than anybody's patience with a lost call. */
const WATCHDOG_LEASE_MS = 10_000;

/** Short enough that the loss of a machine with its dispatcher is noticed no later than that of a worker. */
const ATTENDANCE_LEASE_MS = 3000;

/** A dispatcher that is being stopped finishes a sentence that it says. */
const ANNOUNCEMENT_PATIENCE_MS = 10_000;

/** As often as hosts: a dispatcher that says a sentence attends the call. */
const BEAT_MS = 1000;

/** Beyond the ring time-out: for the answer to come back and the outcome to be written. */
const STOP_MARGIN_MS = 6000;

/** A patient client would wait for a Redis that is away for as long as that lasts. */
const REDIS_PATIENCE_MS = 2000;

/** Starts everything that a dispatcher process does, and registers what stops it. Returns its health port. */
export async function startDispatcher(
  config: Config,
  log: Log,
  releases: Releases,
  world: World,
): Promise<number> {
  const redis = connectRedis(config.REDIS_URL, log, 'patient');
  releases.add('redis', () => redis.disconnect());
  const queue = new Queue(OUTBOUND_QUEUE, { connection: redis });
  queue.on('error', (error) => log.warn({ err: error }, 'the queue failed'));
  releases.add('queue', () => withinMs(REDIS_PATIENCE_MS, queue.close()));
  const waiting = connectRedis(config.REDIS_URL, log, 'patient');
  releases.add('redis of the fences', () => waiting.disconnect());
  const livekit = connectLiveKit(config);
  const registry = createMetrics('dispatcher');
  const metrics = new DispatcherMetrics(registry);
  const trunkNames = world.trunks.map(({ name }) => name);
  addQueueGauges(registry, redis, queue, trunkNames);
  const rooms = new CallRooms(livekit, config.AGENT_NAME);
  const ending = { redis, events: new EventPublisher(redis), rooms };
  const ringMs = config.RING_TIMEOUT_SECONDS * 1000;

  const lease = new Lease(redis, 'trunkline:watchdog', WATCHDOG_LEASE_MS);
  const callers = new WaitingCallers({
    ...ending,
    log,
    metrics,
    trunks: world.trunks,
    caller: world.caller,
    defaultPersonality: config.DEFAULT_PERSONALITY,
  });
  const announcer = new Announcer();
  releases.add('announcer', () => announcer.close());
  const dispatcherId = processId();
  const lost = new LostAgents({
    ...ending,
    queue,
    log,
    metrics,
    dispatcher: dispatcherId,
    announce: async (room, identity, sound) =>
      announcer.announce({
        url: config.LIVEKIT_URL,
        token: await announcerToken(config, { room, identity }),
        sound: sound.toString('base64'),
      }),
    apology: {
      redis,
      log,
      trunks: world.trunks,
      defaultPersonality: config.DEFAULT_PERSONALITY,
      voice: world.voice,
    },
  });
  const attendance = new AttendanceWatch({
    redis,
    lease: new Lease(redis, 'trunkline:attendance-watch', ATTENDANCE_LEASE_MS),
    lost,
    log,
  });
  releases.add('announcements', () => withinMs(ANNOUNCEMENT_PATIENCE_MS, attendance.settled()));
  const watchdog = new Watchdog({
    ...ending,
    queue,
    lease,
    log,
    trunks: trunkNames,
    callers,
    attendance,
    lost,
  });
  watchdog.start();
  releases.add('watchdog', () => withinMs(REDIS_PATIENCE_MS, watchdog.stop()));
  attendance.start();
  releases.add('attendance watch', () => withinMs(REDIS_PATIENCE_MS, attendance.stop()));

  const dispatcher = new Dispatcher(
    {
      ...ending,
      sip: livekit.sip,
      fences: new ReplicatedFences(waiting, fenceReplicas(config)),
      log,
      metrics,
      caller: world.caller,
      trunkId: world.trunkId,
      ringMs,
      route: (order, caller) =>
        trunkForOutbound(world.trunks, {
          trunk: order.trunk,
          from: order.from,
          to: order.to,
          simulated: caller.simulated,
        }),
    },
    redis,
  );
  dispatcher.start();
  await startHeartbeat({
    redis,
    log,
    fleet: 'dispatchers',
    state: () => ({ calls: dispatcher.active }),
    releases,
    id: dispatcherId,
    everyMs: BEAT_MS,
  });
  releases.add('calls', () => dispatcher.stop(ringMs + STOP_MARGIN_MS));

  return serveHealth({
    host: config.API_HOST,
    port: config.DISPATCHER_PORT,
    metrics: registry,
    releases,
    health: () => health(redis, dispatcher),
  });
}

/** Where a Sentinel may choose another master, a fence must not be with the old one alone. */
function fenceReplicas(config: Config): number {
  const assumed = parseRedisAddress(config.REDIS_URL).kind === 'sentinel' ? 1 : 0;
  return config.REDIS_FENCE_REPLICAS ?? assumed;
}

async function health(redis: Redis, dispatcher: Dispatcher): Promise<Health> {
  const up = await withinMs(REDIS_PATIENCE_MS, redis.ping()).then(
    () => true,
    () => false,
  );
  return { status: up ? 'healthy' : 'unhealthy', redis: up, activeCalls: dispatcher.active };
}
