import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

/**
 * Loaded into the processes of agents by `--import`: writes down each second how late the event loop was and
 * how long garbage was collected, for our worker and the framework's alike.
 */
const folder = process.env.BENCH_PROBES;
const program = process.argv[1] ?? '';
if (folder !== undefined && /worker|stock|job_proc/.test(program)) {
  const file = path.join(folder, `${process.pid}.jsonl`);
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  let garbageMs = 0;
  let longestGarbageMs = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      garbageMs += duration;
      longestGarbageMs = Math.max(longestGarbageMs, duration);
    }
  }).observe({ entryTypes: ['gc'] });
  setInterval(() => {
    const { heapUsed } = process.memoryUsage();
    // A delay of 10 ms is the timer itself.
    const line = {
      at: Date.now(),
      pid: process.pid,
      lagP99Ms: Math.max(0, lag.percentile(99) / 1e6 - 10),
      lagMaxMs: Math.max(0, lag.max / 1e6 - 10),
      garbageMs,
      longestGarbageMs,
      heapUsed,
    };
    lag.reset();
    garbageMs = 0;
    longestGarbageMs = 0;
    try {
      appendFileSync(file, `${JSON.stringify(line)}\n`);
    } catch {
      // The bench has removed its folder.
    }
  }, 1000).unref();
}
