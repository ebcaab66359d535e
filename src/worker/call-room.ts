import { TwirpError } from 'livekit-server-sdk';
import { asError } from '../platform/errors.ts';
import type { WorkerDeps } from './worker-deps.ts';

/** Ends a call for everybody in its room (BYE, or 486 where it is not answered yet). Never throws. */
export async function deleteRoom(
  { rooms, log }: Pick<WorkerDeps, 'rooms' | 'log'>,
  name: string,
): Promise<void> {
  try {
    await rooms.deleteRoom(name);
  } catch (thrown) {
    if (thrown instanceof TwirpError && thrown.code === 'not_found') return;
    log.error({ err: asError(thrown) }, 'could not delete the room of a call');
  }
}
