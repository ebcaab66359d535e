import {
  RoomAgentDispatch,
  RoomConfiguration,
  SIPDispatchRule,
  SIPDispatchRuleIndividual,
  SIPDispatchRuleInfo,
  SIPInboundTrunkInfo,
  SIPOutboundTrunkInfo,
} from 'livekit-server-sdk';
import { OperatorError } from '../platform/errors.ts';
import type { JobMetadata } from '../call/job-metadata.ts';
import { markerOf } from './managed.ts';
import type { MediaEncryption, Trunk, TrunkTransport } from './trunk.ts';

/** What livekit-server should hold for a trunk. The rule lacks its trunk's id until that exists. */
export type TrunkObjects = {
  trunk: string;
  outbound: SIPOutboundTrunkInfo;
  inbound: SIPInboundTrunkInfo;
  rule: SIPDispatchRuleInfo;
};

/** Rooms of inbound calls begin so. */
export const INBOUND_ROOM_PREFIX = 'in';

// The enums of the protocol by their JSON names: the SDK does not export them.
const transports: Readonly<Record<TrunkTransport, string>> = {
  udp: 'SIP_TRANSPORT_UDP',
  tcp: 'SIP_TRANSPORT_TCP',
  tls: 'SIP_TRANSPORT_TLS',
};

const encryptions: Readonly<Record<MediaEncryption, string>> = {
  disable: 'SIP_MEDIA_ENCRYPT_DISABLE',
  allow: 'SIP_MEDIA_ENCRYPT_ALLOW',
  require: 'SIP_MEDIA_ENCRYPT_REQUIRE',
};

/**
 * The outbound trunk, inbound trunk and dispatch rule of a trunk.
 *
 * @throws {OperatorError} where inbound calls would be taken from every address
 */
export function objectsOf(trunk: Trunk, agentName: string): TrunkObjects {
  if (trunk.allowedAddresses.length === 0) {
    throw new OperatorError(`The trunk ${trunk.name} would take calls from every address.`, {
      remedy: 'set allowed_addresses in trunks.yaml to where the carrier calls from',
    });
  }
  const name = `trunkline ${trunk.name}`;
  const metadata = markerOf(trunk.name);
  const numbers = trunk.numbers.map(({ number }) => number);
  const media = { encryption: encryptions[trunk.mediaEncryption] };
  const job: JobMetadata = { direction: 'inbound', trunk: trunk.name };
  return {
    trunk: trunk.name,
    outbound: SIPOutboundTrunkInfo.fromJson({
      name,
      metadata,
      numbers,
      media,
      address: trunk.address,
      transport: transports[trunk.transport],
      authUsername: trunk.credentials?.username ?? '',
      authPassword: trunk.credentials?.password ?? '',
    }),
    inbound: SIPInboundTrunkInfo.fromJson({
      name,
      metadata,
      numbers,
      media,
      allowedAddresses: [...trunk.allowedAddresses],
      authUsername: trunk.inboundCredentials?.username ?? '',
      authPassword: trunk.inboundCredentials?.password ?? '',
      krispEnabled: false,
    }),
    rule: new SIPDispatchRuleInfo({
      name,
      metadata,
      rule: new SIPDispatchRule({
        rule: {
          case: 'dispatchRuleIndividual',
          value: new SIPDispatchRuleIndividual({ roomPrefix: INBOUND_ROOM_PREFIX }),
        },
      }),
      roomConfig: new RoomConfiguration({
        agents: [new RoomAgentDispatch({ agentName, metadata: JSON.stringify(job) })],
      }),
    }),
  };
}
