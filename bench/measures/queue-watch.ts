import { EVENT_STREAM } from '../../src/call/event-stream.ts';
import { createLog } from '../../src/platform/log.ts';
import { connectRedis } from '../../src/platform/redis.ts';

/** Looks how many events of calls wait for the ledger. */
export function openQueueWatch(redisUrl: string): {
  look: () => Promise<void>;
  readonly most: number;
  close: () => Promise<void>;
} {
  const redis = connectRedis(redisUrl, createLog('bench', 'fatal'), 'impatient');
  let most = 0;
  return {
    look: async () => {
      const groups = (await redis.call('XINFO', 'GROUPS', EVENT_STREAM)) as unknown[][];
      for (const group of groups) most = Math.max(most, waitingIn(group));
    },
    get most() {
      return most;
    },
    close: async () => {
      await redis.quit();
    },
  };
}

/** Not read yet and not acknowledged yet (https://redis.io/docs/latest/commands/xinfo-groups/). */
function waitingIn(group: readonly unknown[]): number {
  const field = (name: string) => Number(group[group.indexOf(name) + 1] ?? 0);
  return field('pending') + field('lag');
}
