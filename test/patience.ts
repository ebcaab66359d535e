import { vi } from 'vitest';

/**
 * How long a test waits for what it awaits, unless it says otherwise. Vitest gives up after 1 s, which a busy
 * machine with two cores takes for one step of Redis, and which says nothing of what is tested. It bounds
 * only how long a failure takes: what comes is seen at once.
 */
const PATIENCE_MS = 30_000;

const patient = (options: number | { timeout?: number; interval?: number } | undefined) =>
  typeof options === 'number' ? { timeout: options } : { timeout: PATIENCE_MS, ...options };

const { waitFor, waitUntil } = vi;
vi.waitFor = (ask, options) => waitFor(ask, patient(options));
vi.waitUntil = (ask, options) => waitUntil(ask, patient(options));
