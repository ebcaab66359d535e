import { describe, expect, it } from 'vitest';
import { createLog } from '../platform/log.ts';
import { drain } from './drain.ts';
import type { HostRun } from './hosts/host-process.ts';

/** A worker with calls; what its hosts are told ends those that `obey`. */
function worker(obey: 'letGo' | 'endCall' | 'nothing', calls = 2) {
  const runs = new Set(Array.from({ length: calls }, (_, at) => `run-${at}`));
  const told: string[] = [];
  let draining = false;
  return {
    runs,
    told,
    draining: () => draining,
    slots: {
      drain: () => {
        draining = true;
      },
      get taken() {
        return runs.size;
      },
    },
    pool: {
      get runs() {
        return [...runs].map((run) => ({ run }) as HostRun);
      },
      tell: (what: string, run: string) => {
        told.push(what);
        if (what === obey) runs.delete(run);
        return true;
      },
    },
  };
}

const log = createLog('test', 'silent');

describe('drain', () => {
  it('waits for calls, and tells them nothing as long as it may', async () => {
    const { slots, pool, runs, told, draining } = worker('nothing');
    const times = { waitMs: 60_000, handoverMs: 0 };
    const drained = drain({ slots, pool, othersHaveRoom: async () => true, log, times });
    expect(draining()).toBe(true);
    runs.clear();
    await drained;
    expect(told).toEqual([]);
  });

  it('then hands them over, once another worker has room', async () => {
    const { slots, pool, told } = worker('letGo');
    let asked = 0;
    const othersHaveRoom = async () => (asked += 1) > 2;
    await drain({ slots, pool, othersHaveRoom, log, times: { waitMs: 0, handoverMs: 60_000 } });
    expect(asked).toBe(3);
    expect(told).toEqual(['letGo', 'letGo']);
  });

  it('ends with a sentence what nobody takes', async () => {
    const { slots, pool, told } = worker('endCall', 1);
    const times = { waitMs: 0, handoverMs: 300 };
    await drain({ slots, pool, othersHaveRoom: async () => false, log, times });
    expect(told).toEqual(['endCall']);
  });
});
