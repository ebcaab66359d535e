import type { Config } from '../platform/config.ts';
import { OperatorError } from '../platform/errors.ts';
import { loadTrunks } from '../trunk/load-trunks.ts';
import { findPublicAddress } from '../trunk/public-address.ts';
import { isLocal } from '../trunk/trunk.ts';
import type { SipReach } from './livekit-config.ts';

const LOOPBACK = '127.0.0.1';

/**
 * Where livekit-sip must be reached: on this machine only, unless a carrier's trunk is configured.
 * @throws OperatorError where there is such a trunk and the address that it must reach cannot be found.
 */
export async function findSipReach(config: Config): Promise<SipReach> {
  const carriers = loadTrunks(config).filter((trunk) => !isLocal(trunk));
  if (carriers.length === 0) return { listenIp: LOOPBACK, announcedIp: LOOPBACK };
  const found = await findPublicAddress(config.PUBLIC_IP);
  if (found) return { listenIp: '0.0.0.0', announcedIp: found.address };
  const names = carriers.map(({ name }) => name).join(', ');
  throw new OperatorError(
    `The address that the carrier must reach could not be found (trunk ${names}).`,
    {
      remedy: 'Set PUBLIC_IP in .env to the public address of this machine.',
    },
  );
}
