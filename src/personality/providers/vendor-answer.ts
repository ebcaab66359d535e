import { setTimeout as sleep } from 'node:timers/promises';
import { APITimeoutError } from '@livekit/agents';

/** What a component tells of a failure; its streams only end. */
export type Failing = {
  on(event: 'error', listener: (failure: { error: Error }) => void): unknown;
  close?(): Promise<void>;
};

/**
 * What a vendor's component answers; afterwards the component is closed.
 *
 * @throws what the component reports, a time-out, or the reason of the signal
 */
export async function vendorAnswer<T>(
  component: Failing,
  limit: { timeoutMs: number; signal?: AbortSignal },
  answer: () => Promise<T>,
): Promise<T> {
  const failed = Promise.withResolvers<never>();
  component.on('error', ({ error }) => failed.reject(error));
  const timer = new AbortController();
  const abort = () => failed.reject(limit.signal?.reason);
  limit.signal?.addEventListener('abort', abort, { once: true });
  const late = sleep(limit.timeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw new APITimeoutError({ message: 'no answer in time' });
  });
  try {
    limit.signal?.throwIfAborted();
    return await Promise.race([answer(), failed.promise, late]);
  } finally {
    late.catch(() => undefined);
    failed.promise.catch(() => undefined);
    limit.signal?.removeEventListener('abort', abort);
    timer.abort();
    await component.close?.();
  }
}
