import { AccessToken } from 'livekit-server-sdk';
import type { Config } from '../../platform/config.ts';

/** For joining, one sentence and leaving. */
const VALID = '5m';

/** The access of an announcer to a room. It counts as an agent, so nobody takes the call for one without. */
export async function announcerToken(
  config: Pick<Config, 'LIVEKIT_API_KEY' | 'LIVEKIT_API_SECRET'>,
  { room, identity }: { room: string; identity: string },
): Promise<string> {
  const token = new AccessToken(config.LIVEKIT_API_KEY, config.LIVEKIT_API_SECRET, {
    identity,
    ttl: VALID,
  });
  token.kind = 'agent';
  token.addGrant({ roomJoin: true, agent: true, room, canPublish: true, canSubscribe: false });
  return token.toJwt();
}
