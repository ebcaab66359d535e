import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SilenceWatch } from './silence-watch.ts';

const limits = { askAfterMs: 1000, hangUpAfterMs: 2000 };

describe('SilenceWatch', () => {
  const ask = vi.fn<() => void>();
  const hangUp = vi.fn<() => void>();
  let watch: SilenceWatch;

  beforeEach(() => {
    vi.useFakeTimers();
    watch = new SilenceWatch(limits, { ask, hangUp });
  });

  afterEach(() => {
    watch.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    vi.clearAllMocks();
  });

  it('asks once after the first silence and hangs up after the second', () => {
    watch.update(true);
    vi.advanceTimersByTime(999);
    expect(ask).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(ask).toHaveBeenCalledOnce();
    watch.update(false);
    watch.update(true);
    vi.advanceTimersByTime(1999);
    expect(hangUp).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(hangUp).toHaveBeenCalledOnce();
    expect(ask).toHaveBeenCalledOnce();
  });

  it('begins anew when the caller is understood', () => {
    watch.update(true);
    vi.advanceTimersByTime(1000);
    watch.heard();
    watch.update(true);
    vi.advanceTimersByTime(1000);
    expect(ask).toHaveBeenCalledTimes(2);
    expect(hangUp).not.toHaveBeenCalled();
  });

  it('is not put off by noise that nobody understands', () => {
    watch.update(true);
    vi.advanceTimersByTime(1000);
    watch.update(false);
    vi.advanceTimersByTime(10_000);
    watch.update(true);
    vi.advanceTimersByTime(2000);
    expect(hangUp).toHaveBeenCalledOnce();
  });

  it('does nothing after it was closed', () => {
    watch.close();
    watch.update(true);
    vi.advanceTimersByTime(10_000);
    expect(ask).not.toHaveBeenCalled();
  });
});
