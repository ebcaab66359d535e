import type { Holder, KeyRing } from '../../access/key-ring.ts';
import type { Ledger } from '../../call/ledger/ledger.ts';
import type { CallRow } from '../../call/ledger/schema.ts';
import { LivePublisher } from '../../call/live/live-publisher.ts';
import type { LiveEntry } from '../../call/live/live-stream.ts';
import { listLiveCalls } from '../../call/live-calls.ts';
import type { Log } from '../../platform/log.ts';
import type { Registry } from '../../platform/metrics.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import type { Releases } from '../../platform/releases.ts';
import { LiveBoard, type LiveCallView } from './live-board.ts';
import type { LiveLimits } from './live-client.ts';
import { LiveHub } from './live-hub.ts';
import { parseLiveEntry } from './live-message.ts';
import { LiveMetrics } from './live-metrics.ts';
import { LiveReader } from './live-reader.ts';
import { SurroundingsWatch } from './surroundings.ts';
import { Tickets } from './tickets.ts';

/** Everything by which clients watch what goes on. */
export type Live = {
  hub: LiveHub;
  tickets: Tickets;
  keys: Pick<KeyRing, 'stillHolds'>;
  /** False until what is kept in Redis was read. */
  isReady: () => boolean;
};

/** Begins to read; does not wait for a Redis that is away. */
export function openLive(deps: {
  redisUrl: string;
  /** Impatient. */
  redis: Redis;
  ledger: Pick<Ledger, 'find'>;
  keys: Pick<KeyRing, 'stillHolds'>;
  registry: Registry;
  log: Log;
  releases: Releases;
  limits: LiveLimits | undefined;
}): Live {
  const { redis, log, releases, keys } = deps;
  const board = new LiveBoard();
  let ready = false;
  const surroundings = new SurroundingsWatch({
    redis,
    log,
    board,
    publisher: new LivePublisher(redis),
  });
  const reader = new LiveReader({
    redis: connectRedis(deps.redisUrl, log, 'impatient'),
    log,
    onKept: async (pages) => {
      for await (const entries of pages) applyAll(board, entries);
      await enterOlderCalls(deps, board);
      await surroundings.start();
    },
    onReady: () => {
      ready = true;
    },
    onEntries: (entries) => hub.publish(entries),
    onLost: () => hub.restart(),
  });
  const hub = new LiveHub({
    redis,
    log,
    board,
    reader,
    metrics: new LiveMetrics(deps.registry),
    mayWatch: async (holder: Pick<Holder, 'id'>) => keys.stillHolds(holder.id),
    ...(deps.limits && { limits: deps.limits }),
  });
  hub.start();
  reader.start();
  releases.add('live events', async () => {
    await hub.close();
    await reader.stop();
    await surroundings.stop();
  });
  return { hub, tickets: new Tickets(redis), keys, isReady: () => ready };
}

function applyAll(board: LiveBoard, entries: readonly LiveEntry[]): void {
  for (const entry of entries) {
    const parsed = parseLiveEntry(entry);
    if (parsed) board.apply(parsed.body);
  }
}

/** Of calls that began before what is kept, the ledger tells the beginning. */
async function enterOlderCalls(
  { redis, ledger }: { redis: Redis; ledger: Pick<Ledger, 'find'> },
  board: LiveBoard,
): Promise<void> {
  for (const { id } of await listLiveCalls(redis)) {
    if (board.knows(id)) continue;
    const record = await ledger.find(id);
    const view = record && viewOf(record.call);
    if (view) board.put(view);
  }
}

function viewOf(row: CallRow): LiveCallView | undefined {
  if (row.status === 'queued' || row.status === 'ended') return undefined;
  const started = row.dialedAt ?? row.ringingAt ?? row.startedAt;
  return {
    call: row.id,
    call_id: row.publicId,
    direction: row.direction,
    status: row.status,
    trunk: row.trunk,
    from: row.from,
    to: row.to,
    personality: row.personality,
    started_at: started.toISOString(),
    answered_at: row.answeredAt?.toISOString() ?? null,
    agent: null,
    caller: null,
  };
}
