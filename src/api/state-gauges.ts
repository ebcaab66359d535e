import { freshBeats } from '../call/heartbeat.ts';
import { LEDGER_GROUP } from '../call/ledger/event-consumer.ts';
import type { Ledger } from '../call/ledger/ledger.ts';
import { oldestDue } from '../call/ledger/oldest-due.ts';
import { groupLag } from '../call/ledger/stream-group.ts';
import { EVENT_STREAM } from '../call/event-stream.ts';
import { listLiveCalls } from '../call/live-calls.ts';
import type { OutboundQueue } from '../call/outbound-queue.ts';
import type { OpenDatabase } from '../platform/database.ts';
import { diskSpace } from '../platform/disk-space.ts';
import { addGauge, addUpGauge, watchRedis, type Registry } from '../platform/metrics.ts';
import type { Redis } from '../platform/redis.ts';
import type { WorkspaceRows } from '../platform/workspace-rows.ts';

export type StateSources = {
  ledger: Pick<Ledger, 'countOpen'>;
  rows: WorkspaceRows;
  queue: Pick<OutboundQueue, 'depth'>;
  redis: Redis;
  database: Pick<OpenDatabase, 'ping'>;
  dataDir: string;
};

/**
 * The state of the whole system, read when the metrics are asked for. Every api reads the same: take the maximum
 * of several, not the sum. Only whether Redis and the database answer, and the disk, are each api's own.
 */
export function addStateGauges(registry: Registry, sources: StateSources): void {
  const { ledger, queue, redis, rows } = sources;
  addGauge(
    registry,
    { name: 'trunkline_calls', help: 'Calls that have not ended', labels: ['status'] },
    async () => (await ledger.countOpen()).map(({ status, count }) => [[status], count]),
  );
  addGauge(
    registry,
    {
      name: 'trunkline_active_calls',
      help: 'Calls that have a room now: being set up, ringing, or in conversation',
      labels: ['direction'],
    },
    async () => {
      const live = await listLiveCalls(redis);
      const of = (direction: string) => live.filter((call) => call.direction === direction).length;
      return ['inbound', 'outbound'].map((direction) => [[direction], of(direction)]);
    },
  );
  addGauge(
    registry,
    { name: 'trunkline_queue_orders', help: 'Orders not yet begun', labels: ['state'] },
    async () => Object.entries(await queue.depth()).map(([state, count]) => [[state], count]),
  );
  addGauge(
    registry,
    {
      name: 'trunkline_queue_oldest_age_seconds',
      help: 'How long the longest waiting order that is due has been so; 0 where none waits',
    },
    async () => {
      const now = Date.now();
      const since = await oldestDue(rows, now);
      return [[[], since === undefined ? 0 : Math.max(0, now - since) / 1000]];
    },
  );
  addGauge(
    registry,
    {
      name: 'trunkline_processes',
      help: 'Processes that have told within 10 s that they live',
      labels: ['fleet'],
    },
    async () => [
      [['workers'], (await freshBeats(redis, 'workers')).length],
      [['dispatchers'], (await freshBeats(redis, 'dispatchers')).length],
      [['trunk-monitors'], (await freshBeats(redis, 'trunk-monitors')).length],
    ],
  );
  addGauge(
    registry,
    {
      name: 'trunkline_worker_slots',
      help: 'Calls that all workers together have, and can take',
      labels: ['state'],
    },
    async () => {
      const beats = await freshBeats(redis, 'workers');
      const taken = beats.reduce((sum, beat) => sum + beat.calls, 0);
      const capacity = beats.reduce((sum, beat) => sum + (beat.capacity ?? 0), 0);
      return [
        [['taken'], taken],
        [['capacity'], capacity],
      ];
    },
  );
  addGauge(
    registry,
    { name: 'trunkline_events_lag', help: 'Events not yet in the ledger', labels: ['group'] },
    async () => [[[LEDGER_GROUP], await groupLag(redis, EVENT_STREAM, LEDGER_GROUP)]],
  );
  watchRedis(registry, redis);
  addUpGauge(
    registry,
    { name: 'trunkline_database_up', help: '1 where the database answers this api, else 0' },
    async () => sources.database.ping(),
  );
  addDiskGauges(registry, sources.dataDir);
}

function addDiskGauges(registry: Registry, dataDir: string): void {
  addGauge(
    registry,
    { name: 'trunkline_data_free_bytes', help: 'Bytes that are free where DATA_DIR lies' },
    async () => [[[], (await diskSpace(dataDir)).freeBytes]],
  );
  addGauge(
    registry,
    { name: 'trunkline_data_total_bytes', help: 'Size of the file system where DATA_DIR lies' },
    async () => [[[], (await diskSpace(dataDir)).totalBytes]],
  );
}
