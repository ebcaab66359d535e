import { z } from 'zod';

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** How many workers there are, how many calls each takes, and in which processes. */
export const workerVariables = {
  NUM_AGENTS: whole(0, 64)
    .default(1)
    .describe('worker processes to run; 0 where they run elsewhere'),
  WORKER_MAX_CALLS: whole(1, 1000).default(8).describe('calls that one worker takes at a time'),
  WORKER_HOSTS: whole(1, 256)
    .optional()
    .describe('processes in which a worker hosts its calls; absent: one a core, at least two'),
  CALLS_PER_HOST: whole(1, 1000)
    .optional()
    .describe('calls of one such process; absent: spread evenly; 1: a process for each call'),
  HOST_FULL_LAG_MS: whole(10, 10_000)
    .default(250)
    .describe('lateness of a host in ms (99th percentile) from which it gets no further call'),
  HOST_RECYCLE_MB: whole(100, 1_000_000)
    .default(1500)
    .describe('memory in MB from which a host is replaced by a fresh one'),
  HOST_RECYCLE_HOURS: z.coerce
    .number()
    .min(0.001)
    .max(10_000)
    .default(24)
    .describe('hours after which a host is replaced by a fresh one'),
  HOST_RECYCLE_CALLS: whole(1, 1_000_000)
    .default(10_000)
    .describe('calls after which a host is replaced by a fresh one'),
  WORKER_DRAIN_SECONDS: whole(0, 86_400)
    .default(600)
    .describe('how long a worker that is stopped waits for its calls to end'),
  WORKER_HANDOVER_SECONDS: whole(0, 86_400)
    .default(240)
    .describe('how long it then tries to hand them over, before it ends them with a sentence'),
};
