import { setTimeout as sleep } from 'node:timers/promises';
import { TwirpError } from 'livekit-server-sdk';
import { asError } from '../platform/errors.ts';
import type { WorkerDeps } from './worker-deps.ts';

/** Waits between attempts, in ms: livekit-server answers again some seconds after a restart. */
const RETRIES_MS = [500, 1500, 3000];

/** Ends a call for everybody in its room (BYE, or 486 where it is not answered yet). Never throws. */
export async function deleteRoom(
  { rooms, log }: Pick<WorkerDeps, 'rooms' | 'log'>,
  name: string,
  retriesMs: readonly number[] = RETRIES_MS,
): Promise<void> {
  const [waitMs, ...later] = retriesMs;
  try {
    await rooms.deleteRoom(name);
  } catch (thrown) {
    if (thrown instanceof TwirpError && thrown.code === 'not_found') return;
    log.error({ err: asError(thrown) }, 'could not delete the room of a call');
    if (waitMs === undefined) return;
    await sleep(waitMs);
    await deleteRoom({ rooms, log }, name, later);
  }
}
