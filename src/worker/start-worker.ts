import type { Job } from '@livekit/protocol';
import type { RoomServiceClient } from 'livekit-server-sdk';
import type { Config } from '../platform/config.ts';
import type { Log } from '../platform/log.ts';
import type { Redis } from '../platform/redis.ts';
import type { Releases } from '../platform/releases.ts';
import { CallSlots } from './call-slots.ts';
import { HostPool } from './hosts/host-pool.ts';
import type { HostPlan } from './hosts/plan-hosts.ts';
import { WorkerLink } from './link/worker-link.ts';
import { firstRun } from './take-over/run-name.ts';
import { TakeOver } from './take-over/take-over.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** A host that starts to lag, or has done so, changes what livekit-server may give us. */
const LOOK_MS = 1000;
const MB = 1024 * 1024;
const HOUR_MS = 3_600_000;
/** Longest wait for hosts without calls to end. */
const CLOSE_MS = 5000;
/** Longest wait for a host to take an assigned call. */
const PLACE_MS = 10_000;

type Access = { url: string; token: string };

export type Worker = { slots: CallSlots; pool: HostPool; link: WorkerLink };

/**
 * Starts the hosts and, when the first is ready, registers with livekit-server.
 *
 *     livekit-server ─offer─▶ slots ─taken─▶ livekit-server ─assigned─▶ pool ─▶ host with the fewest calls
 *                                                      host lost ─▶ take-over ─▶ pool
 */
export async function startWorker(options: {
  id: string;
  hostMain: string;
  plan: HostPlan;
  config: Config;
  redis: Redis;
  rooms: RoomServiceClient;
  counted: WorkerMetrics;
  log: Log;
  releases: Releases;
}): Promise<Worker> {
  const { config, redis, rooms, counted, log, releases, plan } = options;
  const takeOver = new TakeOver({
    config,
    redis,
    rooms,
    pool: () => pool,
    log,
    onTakenOver: (cause) => counted.takenOver(cause),
    onGivenUp: () => counted.givenUp(),
  });
  const pool = new HostPool({
    ...plan,
    main: options.hostMain,
    id: options.id,
    recycle: {
      rssBytes: config.HOST_RECYCLE_MB * MB,
      ageMs: config.HOST_RECYCLE_HOURS * HOUR_MS,
      calls: config.HOST_RECYCLE_CALLS,
    },
    fullLagMs: config.HOST_FULL_LAG_MS,
    log,
    events: {
      over: ({ run, job }) => {
        // livekit-server knows only of a job's first agent.
        if (run === firstRun(job)) link?.finished(job);
      },
      lost: (runs, cause) => {
        counted.hostLost(cause);
        takeOver.lost(runs, cause);
      },
      recycled: (reason) => counted.recycled(reason),
      noticed: (sign) => counted.noticed(sign),
      changed: () => tell(),
    },
  });
  releases.add('hosts', () => pool.close(CLOSE_MS));
  const slots = new CallSlots({
    capacity: plan.capacity,
    running: () => [...pool.runs, ...takeOver.pending].map(({ job, room }) => ({ id: job, room })),
    vacancies: () => pool.vacancies,
    rooms,
    log,
    onRefused: () => counted.refused(),
  });
  let link: WorkerLink | undefined;
  const tell = () => {
    link?.tell({ calls: slots.taken, load: slots.load, full: slots.full });
  };
  const placeAssigned = async ({ id, room, metadata }: Job, access: Access) => {
    const call = { run: firstRun(id), job: id, room: room?.name ?? '', metadata, ...access };
    const placed = await pool.place(call, { withinMs: PLACE_MS, beyondLimit: true });
    if (!placed) log.error({ job: id }, 'no host took an assigned call');
  };
  await pool.ready();
  const started = new WorkerLink({
    url: config.LIVEKIT_URL,
    apiKey: config.LIVEKIT_API_KEY,
    apiSecret: config.LIVEKIT_API_SECRET,
    agentName: config.AGENT_NAME,
    log,
    onOffer: async ({ id, room, metadata }) => {
      const taken = await slots.take({ id, room: room?.name ?? '', metadata });
      tell();
      return taken ? firstRun(id) : undefined;
    },
    onAssigned: (job, access) => void placeAssigned(job, access),
    onTerminated: (jobId) => pool.tell('stop', firstRun(jobId)),
    onLost: () => counted.linkLost(),
  });
  link = started;
  tell();
  releases.add('link', () => started.close());
  const timer = setInterval(() => {
    pool.recycleIfDue();
    tell();
  }, LOOK_MS);
  releases.add('look', () => clearInterval(timer));
  return { slots, pool, link: started };
}
