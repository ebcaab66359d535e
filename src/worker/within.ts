import { withinMs } from '../platform/time-limit.ts';

/** Whether a promise is fulfilled within a time; a rejection counts as not. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return withinMs(ms, promise).then(
    () => true,
    () => false,
  );
}
