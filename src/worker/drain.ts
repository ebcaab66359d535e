import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../platform/log.ts';
import type { CallSlots } from './call-slots.ts';

/** Takes no more calls and resolves when those that run are over, or the time is. */
export async function drain(
  slots: Pick<CallSlots, 'drain' | 'taken'>,
  log: Log,
  withinMs: number,
): Promise<void> {
  slots.drain();
  const until = Date.now() + withinMs;
  if (slots.taken > 0) log.info({ calls: slots.taken }, 'waiting for calls to end');
  while (slots.taken > 0 && Date.now() < until) await sleep(100);
}
