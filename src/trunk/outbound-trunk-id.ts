import type { SipClient } from 'livekit-server-sdk';
import { OperatorError } from '../platform/errors.ts';
import { managedTrunk } from './managed.ts';

/**
 * livekit-server's id of the outbound trunk that `ensure` made for a trunk.
 *
 * @throws {OperatorError} where there is none yet
 */
export async function outboundTrunkId(sip: SipClient, trunkName: string): Promise<string> {
  const ids = (await sip.listSipOutboundTrunk())
    .filter((info) => managedTrunk(info) === trunkName)
    .map(({ sipTrunkId }) => sipTrunkId)
    .sort();
  const id = ids[0];
  if (id === undefined) {
    throw new OperatorError(`livekit-server has no outbound trunk for ${trunkName}.`, {
      remedy: 'run `sip-management ensure`',
    });
  }
  return id;
}
