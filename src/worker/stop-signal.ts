import type { Releases } from '../platform/releases.ts';

/** The framework's own order to a job process to end its job (its ipc/message). */
const SHUTDOWN = 'shutdownRequest';

/**
 * livekit-server also sends that order when it ends a room. The far end's leaving, which tells why, arrives
 * within this time.
 */
const REASON_MS = 500;

/**
 * Aborted when this job process must end its call: on the framework's order, of which it tells a job only
 * when its entry function has returned, and when the worker's main process is gone.
 */
export function stopSignal(releases: Releases): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  const onMessage = (message: unknown) => {
    const isOrder = typeof message === 'object' && message !== null && 'case' in message;
    if (isOrder && message.case === SHUTDOWN) setTimeout(stop, REASON_MS).unref();
  };
  process.on('message', onMessage);
  process.on('disconnect', stop);
  releases.add('stop signal', () => {
    process.off('message', onMessage);
    process.off('disconnect', stop);
  });
  return controller.signal;
}
