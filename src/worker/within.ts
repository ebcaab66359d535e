/** Whether a promise is fulfilled within a time; a rejection counts as not. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), ms);
  try {
    return await Promise.race([
      promise.then(
        () => true,
        () => false,
      ),
      timeout.promise,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
