import { AgentDispatchClient, RoomServiceClient, ServerError, SipClient } from 'livekit-server-sdk';
import type { Config } from './config.ts';

export type LiveKit = {
  rooms: RoomServiceClient;
  sip: SipClient;
  agents: AgentDispatchClient;
};

/** The three clients of livekit-server's HTTP API. */
export function connectLiveKit(config: Config): LiveKit {
  const host = config.LIVEKIT_URL.replace(/^ws/, 'http');
  // The SDK's failover repeats a request in another region: repeated, a dial is a second call.
  const options = { failover: false };
  const credentials = [host, config.LIVEKIT_API_KEY, config.LIVEKIT_API_SECRET, options] as const;
  return {
    rooms: new RoomServiceClient(...credentials),
    sip: new SipClient(...credentials),
    agents: new AgentDispatchClient(...credentials),
  };
}

/** Ends a room, if it is there: an INVITE that rings is cancelled, a call that is on gets BYE. */
export async function closeRoom(
  rooms: Pick<RoomServiceClient, 'deleteRoom'>,
  room: string,
): Promise<void> {
  try {
    await rooms.deleteRoom(room);
  } catch (thrown) {
    if (!(thrown instanceof ServerError && thrown.code === 'not_found')) throw thrown;
  }
}
