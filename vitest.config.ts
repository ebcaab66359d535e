import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // They wait more than they work; by default two cores would get one worker.
          maxWorkers: 3,
        },
      },
      {
        test: {
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
