/**
 * The first of several promises to be fulfilled; undefined when the time is over or `stop` is aborted
 * before. Leaves no timer and no listener behind.
 */
export async function firstOf<T>(options: {
  promises: Promise<T>[];
  withinMs?: number;
  stop?: AbortSignal;
}): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const giveUp = () => resolve(undefined);
  const timer = options.withinMs === undefined ? undefined : setTimeout(giveUp, options.withinMs);
  options.stop?.addEventListener('abort', giveUp, { once: true });
  if (options.stop?.aborted) giveUp();
  try {
    return await Promise.race([...options.promises, promise]);
  } finally {
    clearTimeout(timer);
    options.stop?.removeEventListener('abort', giveUp);
  }
}
