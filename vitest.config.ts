import { defineConfig } from 'vitest/config';

/** Nothing is awaited for as little as vitest's 1 s: test/patience.ts says why. */
const patient = { setupFiles: ['test/patience.ts'], expect: { poll: { timeout: 30_000 } } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...patient,
          name: 'unit',
          include: ['src/**/*.test.ts', 'bench/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // They wait more than they work; by default two cores would get one worker.
          maxWorkers: 3,
        },
      },
      {
        test: {
          ...patient,
          name: 'system',
          include: ['test/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // The tests of one file share one stack; on two cores a second stack would starve the first.
          fileParallelism: false,
          maxConcurrency: 2,
        },
      },
    ],
  },
});
