import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { isStuck } from './stuck.ts';
import { readMainThread } from './thread-state.ts';

const starved = { stopped: false, processorMs: 40 };

describe('a host that does not answer', () => {
  it('may be silent for a while', () => {
    const busy = { stopped: false, processorMs: 1900 };
    expect(isStuck({ silentMs: 1900, thread: busy }, 2000)).toBe(false);
  });

  it('is stuck where it was stopped', () => {
    const thread = { stopped: true, processorMs: 0 };
    expect(isStuck({ silentMs: 2100, thread }, 2000)).toBe(true);
  });

  it('is stuck where it computes all the time', () => {
    const thread = { stopped: false, processorMs: 1500 };
    expect(isStuck({ silentMs: 2100, thread }, 2000)).toBe(true);
  });

  it('is waited for where the machine gives it no processor, but not for ever', () => {
    expect(isStuck({ silentMs: 2100, thread: starved }, 2000)).toBe(false);
    expect(isStuck({ silentMs: 9900, thread: starved }, 2000)).toBe(false);
    expect(isStuck({ silentMs: 10_100, thread: starved }, 2000)).toBe(true);
  });

  it('is judged by its silence alone where the kernel tells nothing', () => {
    expect(isStuck({ silentMs: 2100, thread: undefined }, 2000)).toBe(true);
  });
});

describe.runIf(process.platform === 'linux')('the main thread of a process', () => {
  it('is seen to be stopped, and to compute', async () => {
    const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
    const pid = child.pid ?? 0;
    try {
      await vi.waitFor(() => expect(readMainThread(pid)?.processorMs).toBeGreaterThan(300));
      expect(readMainThread(pid)?.stopped).toBe(false);
      process.kill(pid, 'SIGSTOP');
      await vi.waitFor(() => expect(readMainThread(pid)?.stopped).toBe(true));
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    expect(readMainThread(pid)).toBeUndefined();
  });
});
