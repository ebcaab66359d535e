import { newCallId, roomKey, type CallId } from './call-id.ts';
import type { Redis } from '../platform/redis.ts';

const DAY_S = 86_400;

/** The id of the inbound call in a room: the same room has the same id, whichever worker asks. */
export async function allocateCallId(
  redis: Redis,
  roomName: string,
): Promise<{ id: CallId; isNew: boolean }> {
  const id = newCallId();
  const taken = (await redis.set(keyOf(roomName), id, 'EX', DAY_S, 'NX', 'GET')) as CallId | null;
  return taken === null ? { id, isNew: true } : { id: taken, isNew: false };
}

/** The id, where one was allocated. */
export async function findCallId(redis: Redis, roomName: string): Promise<CallId | undefined> {
  return ((await redis.get(keyOf(roomName))) as CallId | null) ?? undefined;
}

function keyOf(roomName: string): string {
  return `trunkline:room:${roomKey(roomName)}`;
}
