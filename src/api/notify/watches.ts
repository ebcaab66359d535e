import { freshBeats } from '../../call/heartbeat.ts';
import { EVENT_STREAM } from '../../call/event-stream.ts';
import { LEDGER_GROUP, REJECTED_STREAM } from '../../call/ledger/event-consumer.ts';
import type { Ledger } from '../../call/ledger/ledger.ts';
import { oldestDue } from '../../call/ledger/oldest-due.ts';
import { recentOutcomes } from '../../call/ledger/recent-outcomes.ts';
import { groupLag } from '../../call/ledger/stream-group.ts';
import { diskSpace } from '../../platform/disk-space.ts';
import type { Redis } from '../../platform/redis.ts';
import { withinMs } from '../../platform/time-limit.ts';
import type { WorkspaceRows } from '../../platform/workspace-rows.ts';
import { readTrunkStates } from '../../trunk/trunk-state.ts';
import type { Trunk } from '../../trunk/trunk.ts';
import { deliveryBacklog } from '../../webhook/delivery-backlog.ts';
import type { Checks } from '../health/check.ts';
import { lasting } from './message.ts';
import type { Trouble, Watch } from './trouble.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const GB = 1024 ** 3;

/** The same limits as in docs/alerts.yaml; a restart of everything takes less. */
const LIMITS = {
  serviceMs: 1 * MINUTE_MS,
  fleetMs: 2 * MINUTE_MS,
  trunkDownMs: 2 * MINUTE_MS,
  trunkDegradedMs: 10 * MINUTE_MS,
  fullMs: 10 * MINUTE_MS,
  stalledMs: 5 * MINUTE_MS,
  slowMs: 30 * MINUTE_MS,
  lagEvents: 1000,
  lagMs: 2 * MINUTE_MS,
  failureWindowMs: 15 * MINUTE_MS,
  failures: 5,
  webhookLateMs: HOUR_MS,
  diskFree: 0.05,
  diskFreeBytes: 1 * GB,
} as const;

export type WatchSources = {
  redis: Redis;
  rows: WorkspaceRows;
  ledger: Pick<Ledger, 'countOpen'>;
  consumer: { readonly problem: string | undefined };
  checks: Checks;
  trunks: readonly Trunk[];
  dataDir: string;
};

/** Everything that may need a person, each part by itself. */
export function watches(sources: WatchSources): Watch[] {
  const { redis, rows, ledger, trunks } = sources;
  return [
    { name: 'service', look: async () => services(sources.checks) },
    { name: 'trunk', look: async () => troubledTrunks(redis, trunks) },
    { name: 'fleet', look: async () => fleet(redis) },
    { name: 'queue', look: async (now) => queue(rows, ledger, now) },
    { name: 'events', look: async (now) => events(redis, sources.consumer, now) },
    { name: 'calls', look: async (now) => failures(rows, now) },
    { name: 'webhooks', look: async (now) => webhooks(rows, now) },
    { name: 'disk', look: async () => disk(sources.dataDir) },
  ];
}

const SERVICES: Readonly<Record<string, { what: string; remedy: string }>> = {
  livekit: {
    what: 'livekit-server does not answer: no call can begin.',
    remedy: '`bin/trunkline ps`, then `bin/trunkline logs livekit-server`.',
  },
  sip: {
    what: 'livekit-sip is not well: no call can begin.',
    remedy: '`bin/sip-management status`, then `bin/trunkline logs livekit-sip`.',
  },
  redis: {
    what: 'Redis does not answer: calls that are ordered are refused, and events wait.',
    remedy: '`bin/trunkline logs redis`, `df -h`; see REDIS_URL in `bin/trunkline config`.',
  },
  database: {
    what: 'The database does not answer: calls that are ordered are refused.',
    remedy: '`bin/trunkline logs api`, `df -h`; with Postgres, see whether its server runs.',
  },
};

async function services(checks: Checks): Promise<Trouble[]> {
  const found = await Promise.all(
    Object.entries(SERVICES).map(async ([name, words]) => {
      const check = checks[name];
      const status = check
        ? await withinMs(2000, Promise.resolve().then(check.run)).then(
            (health) => health.status,
            () => 'unhealthy' as const,
          )
        : 'healthy';
      const trouble: Trouble = { key: `service:${name}`, ...words, afterMs: LIMITS.serviceMs };
      return status === 'unhealthy' ? [trouble] : [];
    }),
  );
  return found.flat();
}

async function troubledTrunks(redis: Redis, trunks: readonly Trunk[]): Promise<Trouble[]> {
  const states = await readTrunkStates(redis);
  return trunks.flatMap(({ name }) => {
    const state = states.get(name);
    if (state?.state !== 'down' && state?.state !== 'degraded') return [];
    const down = state.state === 'down';
    return [
      {
        key: `trunk:${name}` as const,
        what: `The trunk ${name} is ${down ? 'down' : 'failing'}: ${state.reason}.`,
        remedy: '`bin/sip-management status` tells why, and what to do.',
        afterMs: down ? LIMITS.trunkDownMs : LIMITS.trunkDegradedMs,
      },
    ];
  });
}

async function fleet(redis: Redis): Promise<Trouble[]> {
  const [workers, dispatchers, monitors] = await Promise.all([
    freshBeats(redis, 'workers'),
    freshBeats(redis, 'dispatchers'),
    freshBeats(redis, 'trunk-monitors'),
  ]);
  const troubles: Trouble[] = [];
  const missing = (name: string, what: string) =>
    troubles.push({
      key: `fleet:${name}`,
      what,
      remedy: `\`bin/trunkline ps\`, then \`bin/trunkline logs ${name}\`.`,
      afterMs: LIMITS.fleetMs,
    });
  if (workers.length === 0) missing('worker', 'No worker runs: no call is answered.');
  if (dispatchers.length === 0) missing('dispatcher', 'No dispatcher runs: nobody is called.');
  if (monitors.length === 0) {
    missing('trunk-monitor', 'No trunk monitor runs: nobody notices a trunk that goes down.');
  }
  const taken = workers.reduce((sum, { calls }) => sum + calls, 0);
  const capacity = workers.reduce((sum, beat) => sum + (beat.capacity ?? 0), 0);
  if (capacity > 0 && taken >= capacity) {
    troubles.push({
      key: 'fleet:full',
      what: `All ${capacity} places for calls are taken: further callers are refused.`,
      remedy: 'Raise WORKER_MAX_CALLS or NUM_AGENTS if the machine has room, and start again.',
      afterMs: LIMITS.fullMs,
    });
  }
  return troubles;
}

async function queue(
  rows: WorkspaceRows,
  ledger: Pick<Ledger, 'countOpen'>,
  now: number,
): Promise<Trouble[]> {
  const since = await oldestDue(rows, now);
  if (since === undefined) return [];
  const age = now - since;
  const open = new Map((await ledger.countOpen()).map(({ status, count }) => [status, count]));
  const queued = open.get('queued') ?? 0;
  const moving = (open.get('dialing') ?? 0) + (open.get('ringing') ?? 0);
  const talking = open.get('in_progress') ?? 0;
  if (age > LIMITS.stalledMs && moving + talking === 0) {
    return [
      {
        key: 'queue:stalled',
        what: `Nobody is being called, though ${queued} calls wait, the oldest for ${lasting(age)}.`,
        remedy: '`bin/trunkline logs dispatcher`, then `bin/sip-management status`.',
        afterMs: MINUTE_MS,
      },
    ];
  }
  if (age <= LIMITS.slowMs) return [];
  return [
    {
      key: 'queue:slow',
      what: `Calls are ordered faster than they are made: the oldest waits for ${lasting(age)}.`,
      remedy:
        'If they may wait, nothing. Else raise calls_per_second or concurrent_calls of the trunk in trunks.yaml, as far as the carrier permits.',
      afterMs: MINUTE_MS,
    },
  ];
}

async function events(
  redis: Redis,
  consumer: WatchSources['consumer'],
  now: number,
): Promise<Trouble[]> {
  const troubles: Trouble[] = [];
  const lag = await groupLag(redis, EVENT_STREAM, LEDGER_GROUP);
  if (lag > LIMITS.lagEvents || (lag > 0 && consumer.problem !== undefined)) {
    troubles.push({
      key: 'events:lag',
      what: `${lag} events of calls are not in the ledger yet. ${consumer.problem ?? ''}`.trim(),
      remedy: '`bin/trunkline logs api`; `df -h`; see whether the database keeps up.',
      afterMs: LIMITS.lagMs,
    });
  }
  const [last] = await redis.xrevrange(REJECTED_STREAM, '+', '-', 'COUNT', 1);
  if (last && now - Number(last[0].split('-')[0]) < HOUR_MS) {
    troubles.push({
      key: 'events:rejected',
      what: 'An event of a call could not be written into the ledger, and was put aside.',
      remedy:
        'Compare the versions of all processes. `redis-cli XREVRANGE trunkline:events:rejected + - COUNT 1` shows it, and why.',
      afterMs: 0,
    });
  }
  return troubles;
}

async function failures(rows: WorkspaceRows, now: number): Promise<Trouble[]> {
  const outcomes = await recentOutcomes(rows, now - LIMITS.failureWindowMs);
  const all = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const failed = outcomes.failed ?? 0;
  if (failed < LIMITS.failures || failed * 2 < all) return [];
  return [
    {
      key: 'calls:failed',
      what: `${failed} of the last ${all} calls failed.`,
      remedy:
        '`bin/sip-management status`; the reasons are in GET /api/calls?outcome=failed, the log of the worker has more.',
      afterMs: MINUTE_MS,
    },
  ];
}

async function webhooks(rows: WorkspaceRows, now: number): Promise<Trouble[]> {
  const { dead, oldestMs } = await deliveryBacklog(rows, now);
  const troubles: Trouble[] = [];
  if (dead > 0) {
    troubles.push({
      key: 'webhooks:dead',
      what: `${dead} webhooks could not be delivered within a day, and were given up.`,
      remedy: 'See to the receiver, then replay them; docs/webhooks.md tells how.',
      afterMs: 0,
    });
  }
  if (oldestMs > LIMITS.webhookLateMs) {
    troubles.push({
      key: 'webhooks:late',
      what: `Webhooks are not delivered: the oldest has been on its way for ${lasting(oldestMs)}.`,
      remedy: 'See whether the receiver answers; docs/webhooks.md tells how to look.',
      afterMs: MINUTE_MS,
    });
  }
  return troubles;
}

async function disk(dataDir: string): Promise<Trouble[]> {
  const { freeBytes, totalBytes } = await diskSpace(dataDir);
  if (freeBytes > LIMITS.diskFreeBytes || freeBytes > totalBytes * LIMITS.diskFree) return [];
  return [
    {
      key: 'disk:full',
      what: `The disk of DATA_DIR is almost full: ${(freeBytes / GB).toFixed(1)} GB are free.`,
      remedy: '`du -sh data/*`: recordings, conversations and logs may be moved away.',
      afterMs: MINUTE_MS,
    },
  ];
}
