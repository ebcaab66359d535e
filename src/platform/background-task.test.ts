import { describe, expect, it, vi } from 'vitest';
import { BackgroundTask } from './background-task.ts';

describe('BackgroundTask', () => {
  it('runs once more, and only once, when it is asked for while it runs', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let runs = 0;
    const run = vi.fn<() => Promise<void>>(async () => gates[runs++]?.promise);
    const task = new BackgroundTask({ run, everyMs: 60_000, onError: () => undefined });
    task.start();
    task.nudge();
    task.nudge();
    expect(run).toHaveBeenCalledTimes(1);
    gates[0]?.resolve();
    await vi.waitFor(() => expect(run).toHaveBeenCalledTimes(2));
    gates[1]?.resolve();
    await task.stop();
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('runs every so often, tells what fails, and goes on', async () => {
    const onError = vi.fn<(thrown: unknown) => void>();
    const run = vi.fn<() => Promise<void>>(async () => Promise.reject(new Error('away')));
    const task = new BackgroundTask({ run, everyMs: 5, onError });
    task.start();
    await vi.waitFor(() => expect(onError.mock.calls.length).toBeGreaterThan(2));
    await task.stop();
    const runs = run.mock.calls.length;
    task.nudge();
    expect(run).toHaveBeenCalledTimes(runs);
  });

  it('waits at its stop for what is running', async () => {
    const gate = Promise.withResolvers<void>();
    let done = false;
    const run = async () => {
      await gate.promise;
      done = true;
    };
    const task = new BackgroundTask({ run, everyMs: 60_000, onError: () => undefined });
    task.start();
    const stopped = task.stop();
    gate.resolve();
    await stopped;
    expect(done).toBe(true);
  });
});
