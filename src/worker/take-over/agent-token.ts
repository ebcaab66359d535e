import { AccessToken } from 'livekit-server-sdk';
import type { Config } from '../../platform/config.ts';

/** As long as livekit-server's own; a connection that lasts is given newer ones. */
const VALID = '1h';

/** The access of an agent to a room, with the grants that livekit-server gives with a job. */
export async function agentToken(
  config: Pick<Config, 'LIVEKIT_API_KEY' | 'LIVEKIT_API_SECRET' | 'AGENT_NAME'>,
  { room, identity }: { room: string; identity: string },
): Promise<string> {
  const token = new AccessToken(config.LIVEKIT_API_KEY, config.LIVEKIT_API_SECRET, {
    identity,
    name: identity,
    ttl: VALID,
    attributes: { 'lk.agent_name': config.AGENT_NAME },
  });
  token.kind = 'agent';
  token.addGrant({
    roomJoin: true,
    agent: true,
    room,
    canSubscribe: true,
    canPublish: true,
    canPublishData: true,
    canUpdateOwnMetadata: true,
  });
  return token.toJwt();
}
